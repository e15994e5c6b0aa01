exec busybox syslogd -n -s 0 -O "$LOG" $SETTING
