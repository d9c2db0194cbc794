#!/bin/sh
# Export, quantise and check a detection model in an environment of its own, so that torch stays out of the application's.
#   packaging/models/make.sh [yolo11n.pt] [folder of pictures] [further options of export.py]
# Without weights, the official ones are fetched. Pictures: about 128 JPEGs like those that a webcam sees.
set -eu
cd "$(dirname "$0")/../.."
weights="${1:-}"
pictures="${2:-../shared/coco/images}"
[ $# -gt 0 ] && shift
[ $# -gt 0 ] && shift
. packaging/models/environment.sh
exec "$environment/bin/python" packaging/models/export.py "$weights" --pictures "$pictures" "$@"
