case $SETTING in
  template*) SOURCE='' FILE=$SETTING ;;
  *) SOURCE=$SETTING FILE='' ;;
esac
cat >"$LOG.conf" <<C
@version: 3.38
source s { unix-dgram("/dev/log" $SOURCE); };
destination d { file("$LOG" $FILE); };
log { source(s); destination(d); };
C
exec syslog-ng --foreground --no-caps --cfgfile "$LOG.conf" --pidfile "$LOG.pid" --persist-file "$LOG.persist" \
  --control "$LOG.control"
