echo "*.* $LOG" >"$LOG.conf"
exec "$SYSKLOGD" -F -K -n -ss -f "$LOG.conf" -P "$LOG.pid" -C "$LOG.cache"
