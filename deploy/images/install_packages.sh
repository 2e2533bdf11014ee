#!/bin/sh
# Run `uv pip install` for the environment of an image, with the sources of packages that the build was given.
# uv takes what the first index has that knows a version, which may be a wheel without its libraries; so the main index
# is asked alone before the extra ones are.
set -eu
set -a
. /run/sources
set +a
set -- /uv/bin/uv pip install --python /opt/stemcord/bin/python "$@"
(unset UV_INDEX UV_INDEX_STRATEGY && "$@") || "$@"
