#!/bin/sh
# Install the system libraries that Fairlock needs on a Debian-like machine, where that is allowed.
# Usage: system_packages.sh [run|develop]     (develop adds what the tests and the console's tests need)
set -eu

run="libnss3 libasound2 libegl1 libgl1 libgbm1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxcomposite1 libxdamage1
libxrandr2 libxtst6 libxkbfile1 libxkbcommon0 libbrotli1 fonts-dejavu-core libxcb-cursor0 libxcb-icccm4
libxcb-keysyms1 libxcb-randr0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 libx11-xcb1 libpulse0 libportaudio2
xvfb openbox espeak-ng"
develop="postgresql xterm xdotool x11-utils x11-xserver-utils xauth ffmpeg chromium firefox-esr nginx-light cage xwayland grim
strace systemd gcc-mingw-w64-x86-64-win32 x11vnc tigervnc-standalone-server
at-spi2-core dbus libglib2.0-bin python3-gi python3-dbusmock python3-pyatspi gir1.2-atspi-2.0"

wanted=$run
[ "${1:-run}" = develop ] && wanted="$run $develop"

command -v dpkg-query >/dev/null 2>&1 || {
    echo "This is not a Debian-like system; install the equivalents of:" $wanted
    exit 0
}

missing=""
for package in $wanted; do
    case $package in
        nginx-light) command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] && continue ;;
        libasound2) dpkg-query -W -f='${Status}' libasound2t64 2>/dev/null | grep -q 'ok installed' && continue ;;
        libglib2.0-0) dpkg-query -W -f='${Status}' libglib2.0-0t64 2>/dev/null | grep -q 'ok installed' && continue ;;
    esac
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as="sudo -n"
else
    echo "System packages are missing. Please run:  sudo $install"
    exit 0
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$as apt-get update -qq
$as $install >/dev/null
