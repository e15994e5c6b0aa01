# Dovecot 2.3 with the characters of names that it comes with.
useradd --base-dir "$STAGE" --create-home alice
cat >/etc/dovecot/attacked.conf <<C
protocols = pop3 imap
listen = *
log_path = ${OWN_LOG:-syslog}
syslog_facility = mail
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 anonymous
auth_anonymous_username = alice
auth_failure_delay = 0
auth_verbose = yes
mail_location = maildir:~/Maildir
mail_max_userip_connections = 500
service anvil {
  # Otherwise each failure of an address makes the next wait longer.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
passdb {
  driver = passwd-file
  args = /etc/dovecot/attacked.users
}
userdb {
  driver = static
  args = uid=alice gid=alice home=$STAGE/alice
}
C
echo 'alice:{PLAIN}secret' >/etc/dovecot/attacked.users
dovecot -c /etc/dovecot/attacked.conf
