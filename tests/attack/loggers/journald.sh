mkdir -p /run/systemd/journal /run/log/journal "$LOG"
mount --bind "$LOG" /run/log/journal
rm -f /run/systemd/journal/* /dev/log
ln -s /run/systemd/journal/dev-log /dev/log
printf '%s\n' '[Journal]' Storage=volatile RateLimitIntervalSec=0 Audit=no ReadKMsg=no RuntimeMaxUse=1G >/etc/systemd/journald.conf
exec /lib/systemd/systemd-journald
