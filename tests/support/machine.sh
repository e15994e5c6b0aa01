# A fresh Debian under systemd in a container, with packages in root's home, for the tests that source this. They say before
# in the array needed which programs they need, too; then $package is copied into the machine by boot.

suite=${DEBIAN_SUITE:-bookworm}
# Where apt has the same suite of Debian from; of its sources others may hold anything.
debian_of_apt() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$2 == suite && $3 == "main" && $4 == "Debian" && !found { found = 1; print $1 }'
}
mirror=${DEBIAN_MIRROR:-$(debian_of_apt || true)}
mirror=${mirror:-http://deb.debian.org/debian}

skip() {
  echo "SKIPPED tests/$(basename "$0"): $*" >&2
  [[ ${CI-} != true ]] || exit 1
  exit 0
}
missing() {
  [[ $EUID -eq 0 ]] || echo "root"
  local program
  for program in debootstrap systemd-nspawn slirp4netns nsenter "${needed[@]}"; do
    command -v "$program" >/dev/null || echo "$program"
  done
}
[[ -z $(missing) ]] || skip "needs $(missing | paste -sd' ')"

scratch=$(mktemp -d)
# With DEBIAN_BASE the fresh Debian is kept there, and used the next time.
base=${DEBIAN_BASE:-$scratch/base}
nspawn='' leader='' network='' shell=''
cleanup() {
  halt
  rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
ok() { echo "ok: $*"; }

# Looks every half second, for a minute, whether a command succeeds.
eventually() {
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.5
  done
}

# The smallest Debian that boots. All else the quick start has the reader install.
make_base() {
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus "$suite" "$base.new" "$mirror" >"$scratch/log" 2>&1 ||
    { tail "$scratch/log" >&2 && fail "debootstrap"; }
  # Where debootstrap itself runs in a container.
  rm -f "$base.new"/etc/apt/apt.conf.d/docker-*
  echo mail >"$base.new/etc/hostname"
  printf '127.0.0.1 localhost\n192.0.2.100 mail.example.net mail\n' >"$base.new/etc/hosts"
  echo 'nameserver 192.0.2.3' >"$base.new/etc/resolv.conf"
  mv "$base.new" "$base"
}

# Runs a program in the booted container.
enter() {
  (cd / && exec nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
    DEBIAN_FRONTEND=noninteractive "$@")
}
inside() { enter bash -c "cd && $1" </dev/null; }

booted() {
  leader=$(pgrep -P "$nspawn" | head -1) && [[ $(inside 'systemctl is-system-running') =~ running|degraded ]]
}

# Boots a fresh machine NAME with the package in root's home, and with the address 192.0.2.100.
boot() {
  cp -a "$base" "$scratch/$1"
  cp "$package" "$scratch/$1/root/"
  systemd-nspawn --quiet --directory="$scratch/$1" --register=no --keep-unit --private-network --resolv-conf=off \
    --hostname=mail --boot </dev/null >"$scratch/$1.console" 2>&1 &
  nspawn=$!
  if ! eventually booted; then
    tail -5 "$scratch/$1.console" >&2
    skip "systemd does not boot in a container here; that was the end of its console"
  fi
  slirp4netns --configure --mtu=65520 --cidr=192.0.2.0/24 --disable-host-loopback "$leader" tap0 \
    </dev/null >"$scratch/network.log" 2>&1 &
  network=$!
  eventually nsenter --target "$leader" --net grep -q tap0 /proc/net/route || { cat "$scratch/network.log" >&2 && fail "no network"; }
}

# Runs a command that changes packages; what it says goes to $scratch/log.
change() { inside "$1" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2 && fail "$1"; }; }

halt() {
  [[ -n $nspawn ]] || return 0
  close_shell
  [[ -z $network ]] || kill "$network" 2>/dev/null || true
  if [[ -n $leader ]]; then inside 'systemctl poweroff' >/dev/null 2>&1 || true; fi
  (sleep 60 && kill -9 "$nspawn") >/dev/null 2>&1 &
  local guard=$!
  wait "$nspawn" 2>/dev/null || true
  kill "$guard" 2>/dev/null || true
  nspawn='' leader='' network=''
}

# --- A shell there ---

# A shell on the machine that goes on from command to command, as the reader's does.
open_shell() {
  coproc enter bash
  shell=$COPROC_PID
  # Copies, which are easy to close.
  exec {to_shell}>&"${COPROC[1]}" {from_shell}<&"${COPROC[0]}" {COPROC[1]}>&- {COPROC[0]}<&-
  printf 'cd\n' >&"$to_shell"
}
close_shell() {
  [[ -n $shell ]] || return 0
  exec {to_shell}>&- {from_shell}<&-
  wait "$shell" || true
  shell=''
}

# Types one command; what it prints goes to $output, its exit code to $status, and the seconds it took to $took.
type_command() {
  local line start=$SECONDS
  printf '{ %s\n} </dev/null 2>&1; printf "\\n\\001%%s\\n" "$?"\n' "$1" >&"$to_shell"
  output='' status=''
  while [[ -z $status ]]; do
    IFS= read -t 600 -r line <&"$from_shell" || fail "nothing more comes from: $1$output"
    if [[ $line == $'\001'* ]]; then status=${line#?}; else output+=$line$'\n'; fi
  done
  output=$(sed -e 's/\r$//' -e '${/^$/d}' <<<"${output%$'\n'}")
  took=$((SECONDS - start))
}

# --- What the daemon there says ---

client=192.0.2.100
property() { inside "systemctl show --property=$1 --value pop-before-smtp"; }
lists() { inside 'pop-before-smtp list --config /etc/pop-before-smtp.toml' | grep "^$client"; }
is_active() { [[ $(property ActiveState) == active ]]; }
# When the grant ends, in Unix seconds.
expiry() { date -d "$(lists | awk '{ print $2 }')" +%s; }
# The state file holds whole seconds, so that each restart may cost one.
is_kept() { (($1 - $(expiry) <= 2 && $(expiry) <= $1)); }
log_in() { inside "curl --silent --user kevin:secret pop3://$client" >/dev/null && eventually lists; }
# The process, not only the user: it keeps the groups that it was started with.
in_postfix_group() {
  is_active && inside 'gid=$(getent group postfix | cut -d: -f3)
    [[ -n $gid ]] && grep -qw "^Groups:.*[[:space:]]$gid" /proc/$(systemctl show --property=MainPID --value pop-before-smtp)/status'
}

# What is left of the package, but for the settings of Postfix.
remains() {
  inside 'find / -xdev \( -path /proc -o -path /sys -o -path /etc/postfix \) -prune -o \
      -name "*pop-before-smtp*" ! -path "/root/*.deb" ! -path "/root/*.rpm" -print -o \( -nouser -o -nogroup \) -print
    find /run /tmp -name "*pop-before-smtp*" -print
    grep -rl pop-before-smtp /etc --exclude-dir=postfix | grep -vE "^/etc/(passwd|group|g?shadow|subuid|subgid)-$"
    getent passwd pop-before-smtp
    getent group pop-before-smtp
    systemctl list-units --all --no-legend "pop-before-smtp*"
    systemctl list-unit-files --no-legend "pop-before-smtp*"' || true
}
# systemd forgets a unit when it has nothing else to do.
nothing_remains() { [[ -z $(remains) ]]; }
