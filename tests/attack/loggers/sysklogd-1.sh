printf '*.*\t%s\n' "$LOG" >"$LOG.conf"
exec "$SYSKLOGD_1" -n -f "$LOG.conf"
