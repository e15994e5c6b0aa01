exec s6-log "$LOG"
