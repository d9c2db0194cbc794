#!/bin/sh
# Make this computer a testing centre's seat (Debian and alike; docs/kiosk.md). Run as root, again after an update.
# Usage: install.sh [--root DIR] [--fairlock FILE]     --root: lay the files out below DIR and start nothing
set -eu
here=$(dirname "$(readlink -f "$0")")
root= fairlock=$(command -v fairlock || :)
while [ $# -gt 0 ]; do
    case $1 in
        --root) root=$2; shift 2 ;;
        --fairlock) fairlock=$2; shift 2 ;;
        *) echo "What is $1? See the top of this file." >&2; exit 2 ;;
    esac
done
[ -n "$fairlock" ] || { echo "Install fairlock first, or name it with --fairlock FILE." >&2; exit 1; }
# Whoever may change that file could make a seat run anything.
case $fairlock in /*) ;; *) echo "Name $fairlock by its whole path." >&2; exit 1 ;; esac
[ -n "$root" ] || [ "$(stat -Lc %u "$fairlock")" = 0 ] || { echo "$fairlock must belong to root." >&2; exit 1; }
[ -n "$root" ] || for program in cage Xwayland; do
    command -v "$program" >/dev/null || { echo "Missing: $program. apt-get install cage xwayland" >&2; exit 1; }
done

put() { install -D -m "$1" "$here/$2" "$root$3"; }
put 755 kiosk-session /usr/lib/fairlock/kiosk-session
put 755 kiosk-ended /usr/lib/fairlock/kiosk-ended
ln -sfn "$fairlock" "$root/usr/lib/fairlock/fairlock"
put 644 fairlock-kiosk.service /usr/lib/systemd/system/fairlock-kiosk.service
put 644 fairlock-kiosk.sysusers /usr/lib/sysusers.d/fairlock-kiosk.conf
put 644 fairlock-kiosk.pam /etc/pam.d/fairlock-kiosk
put 644 fairlock-kiosk.desktop /usr/share/wayland-sessions/fairlock-kiosk.desktop
put 644 50-fairlock-kiosk.rules /etc/polkit-1/rules.d/50-fairlock-kiosk.rules
put 644 50-fairlock-kiosk.sysctl /etc/sysctl.d/50-fairlock-kiosk.conf
put 644 fairlock-kiosk.logind /etc/systemd/logind.conf.d/fairlock-kiosk.conf
# What the administrator has written stays.
[ -e "$root/etc/fairlock/kiosk.toml" ] || put 640 kiosk.toml /etc/fairlock/kiosk.toml
[ -e "$root/etc/fairlock/kiosk.env" ] || put 644 kiosk.env /etc/fairlock/kiosk.env
[ -z "$root" ] || exit 0

systemd-sysusers
chgrp fairlock-kiosk /etc/fairlock/kiosk.toml
sysctl --quiet --load /etc/sysctl.d/50-fairlock-kiosk.conf
systemctl daemon-reload
systemctl enable fairlock-kiosk.service
systemctl set-default graphical.target
echo "Write the exam codes and the PIN into /etc/fairlock/kiosk.toml, then: systemctl isolate graphical.target"
