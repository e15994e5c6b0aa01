# Perdition 2.2 in front of one server.
for protocol in IMAP4:143:9143 POP3:110:9110; do
  IFS=: read -r name port to <<<"$protocol"
  "perdition.${name,,}" --no_daemon -P "$name" -l "$port" -s "127.0.0.1:$to" -u nobody -g nogroup -f '' -M '' \
    -F "${OWN_LOG:-mail}" --ssl_mode none &
done
