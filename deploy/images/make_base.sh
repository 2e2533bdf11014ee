#!/bin/sh
# Make the image that the Containerfile begins with, from Debian's signed packages, without any registry.
#   deploy/images/make_base.sh NAME [SUITE] [MIRROR]
set -eu
name=$1 suite=${2:-bookworm} mirror=${3:-http://deb.debian.org/debian}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3 "$suite" "$folder" "$mirror" >&2
# What nobody reads in a container; copyright files stay.
rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/log/* \
    "$folder"/usr/share/man "$folder"/usr/share/info "$folder"/usr/share/locale/* "$folder"/usr/share/i18n
find "$folder"/usr/share/doc -type f ! -name copyright -delete
# Character sets of the C library: Python has its own, and UTF-8 is built in.
rm -rf "$folder"/usr/lib/*/gconv
find "$folder" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
container=$(buildah from scratch)
buildah add --quiet "$container" "$folder" / >&2
buildah config --cmd /bin/sh --label org.opencontainers.image.title="Debian $suite with Python" "$container"
buildah commit --quiet --rm "$container" "$name"
