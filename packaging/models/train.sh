#!/bin/sh
# Fine-tune a detection model in the environment that make.sh uses too, then export, quantise and check it.
#   packaging/models/train.sh folder [yolo11n.pt] [further options of train.py]
# Without weights, the official ones are fetched. docs/models.md says how the folder is to look.
set -eu
cd "$(dirname "$0")/../.."
[ -n "${1:-}" ] || { echo "Name the folder of labelled pictures: make train DATA=folder" >&2; exit 2; }
[ -d "$1" ] || { echo "There is no folder $1. Name the folder of labelled pictures: make train DATA=folder" >&2; exit 2; }
data="$1"
weights="${2:-}"
shift
[ $# -gt 0 ] && shift
. packaging/models/environment.sh
"$environment/bin/python" packaging/models/check_towers.py
exec "$environment/bin/python" packaging/models/train.py "$data" --weights "$weights" "$@"
