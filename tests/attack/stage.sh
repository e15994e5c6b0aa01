#!/bin/bash
# Runs a command on a private stage: the packages are installed over this system in overlays of its own, there is no network
# but loopback, nothing listens at /dev/log, and what was started ends with the command. Nothing of it is seen from outside.
# Usage: stage.sh DIRECTORY "PACKAGE..." COMMAND...; to be called by unshare --mount --pid --fork.
set -euo pipefail
export STAGE=$1 packages=$2
shift 2

mount -t tmpfs none "$STAGE"
chmod 755 "$STAGE"
for directory in usr etc var; do
  mkdir "$STAGE/$directory" "$STAGE/$directory.work"
  mount -t overlay none -o "lowerdir=/$directory,upperdir=$STAGE/$directory,workdir=$STAGE/$directory.work" "/$directory"
done
mount -t tmpfs -o mode=755 none /run
mkdir -m 1777 /run/lock
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

install() {
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages >"$STAGE/apt" 2>&1
}
if [[ -n $packages ]] && ! install; then
  apt-get update -qq >/dev/null
  install || { cat "$STAGE/apt" >&2; exit 1; }
fi

mkdir "$STAGE/dev"
mount -t tmpfs -o mode=755 none "$STAGE/dev"
for device in null zero full random urandom tty; do
  touch "$STAGE/dev/$device"
  mount --bind "/dev/$device" "$STAGE/dev/$device"
done
mkdir -m 1777 "$STAGE/dev/shm"
ln -s /proc/self/fd "$STAGE/dev/fd"
ln -s /proc/self/fd/1 "$STAGE/dev/stdout"
mount --rbind "$STAGE/dev" /dev

exec unshare --net bash -euc '
  ip link set lo up
  for address in 192.0.2.25 192.0.2.26 198.51.100.9; do ip address add "$address/32" dev lo; done
  exec "$@"' stage "$@"
