mkdir -p "$LOG"
exec svlogd "$LOG"
