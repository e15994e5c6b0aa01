echo "*.* $LOG" >"$LOG.conf"
exec /usr/sbin/syslogd --no-detach --rcfile="$LOG.conf" --pidfile="$LOG.pid" --no-klog
