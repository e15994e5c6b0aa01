exec multilog "$LOG"
