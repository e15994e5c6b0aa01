printf '%s\n' 'module(load="imuxsock")' "$SETTING" "action(type=\"omfile\" file=\"$LOG\")" >"$LOG.conf"
exec rsyslogd -n -f "$LOG.conf" -i "$LOG.pid"
