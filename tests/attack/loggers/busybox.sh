exec busybox syslogd -n -O "$LOG" $SETTING
