#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up this checkout's last commit on a Debian 12 that never saw it: "make bare".
#
# The system is built by debootstrap in a temporary folder, with nothing but git, make, nodejs and npm. All
# mounts are made in a mount namespace of this script, so they end with it. Of the machine it takes how
# the network is reached: its mirror, apt's Acquire settings, name servers, authorities, npm's registry.
set -eu

if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || { echo 'error: "make bare" builds a system, which only root can' >&2; exit 1; }
	command -v debootstrap >/dev/null || {
		echo 'error: debootstrap is not installed' >&2
		echo 'hint: apt-get install debootstrap' >&2
		exit 1
	}
	root=$(mktemp -d "${TMPDIR:-/tmp}/warder-bare-XXXXXX")
	trap 'rm -rf --one-file-system "$root"' EXIT
	trap 'exit 130' INT TERM
	unshare --mount --pid --fork --kill-child --propagation private "$0" inside "$root"
	exit
fi

root=$2
source=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
say() { printf 'bare   %-36s %s\n' "$1" "$2"; }
# Runs a command quietly; its output is shown only when it fails.
quietly() { "$@" >"$root.log" 2>&1 || { cat "$root.log" >&2; rm -f "$root.log"; exit 1; }; rm -f "$root.log"; }
enter() {
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive \
		NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_registry="$registry" \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		chroot "$root" "$@"
}

registry=$(npm config get registry 2>/dev/null)
mirror=$(cd "$source" && node --input-type=module -e \
	'import { findMirror } from "./packaging/setup/mirrors.mjs"; console.log(findMirror().uri)')

started=$(date +%s)
quietly debootstrap --variant=minbase bookworm "$root" "$mirror"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump --no-empty --format '%F "%v";%n' Acquire >"$root/etc/apt/apt.conf.d/80machine"
quietly enter apt-get update
quietly enter apt-get install --yes --no-install-recommends git make nodejs npm ca-certificates
if [ -d /usr/local/share/ca-certificates ]; then
	cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
	quietly enter update-ca-certificates
fi
say 'clean Debian 12' "$(($(date +%s) - started)) s, Node $(enter node --version), npm $(enter npm --version)"

quietly git clone --quiet --bare --no-hardlinks "$source" "$root/srv/warder.git"
chown -R 0:0 "$root/srv/warder.git"
enter git clone --quiet /srv/warder.git /root/warder

started=$(date +%s)
enter make -C /root/warder --no-print-directory setup
say 'set-up from nothing' "$(($(date +%s) - started)) s, warder $(enter /root/warder/bin/warder --version)"

# The second clone has the caches of the first, and no network but loopback.
started=$(date +%s)
enter git clone --quiet /srv/warder.git /root/again
enter unshare --net make -C /root/again --no-print-directory setup
say 'a second clone without a network' "$(($(date +%s) - started)) s, warder $(enter /root/again/bin/warder --version)"
