#!/bin/sh
# Make the database at the first start, as the usual image of PostgreSQL does, then serve it.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin)
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    "$bin/initdb" --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8
    rm /tmp/password
    printf "host all all all scram-sha-256\n" >> "$PGDATA/pg_hba.conf"
    "$bin/pg_ctl" -w start -o "-c listen_addresses= -c unix_socket_directories=/tmp"
    PGPASSWORD=$POSTGRES_PASSWORD "$bin/createdb" -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
    "$bin/pg_ctl" -w stop
fi
exec "$bin/postgres" -c "listen_addresses=*" -c "unix_socket_directories=/tmp"
