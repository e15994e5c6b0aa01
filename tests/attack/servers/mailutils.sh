# GNU mailutils 3.15, accounts of the system.
useradd --base-dir "$STAGE" --create-home alice
echo alice:secret | chpasswd
cat >/etc/mailutils-imap4d.conf <<'C'
logging { facility mail; session-id yes; syslog yes; tag imap4d; }
server 0.0.0.0:143 { tls-mode no; acl { log any; } }
mode daemon;
max-children 300;
gsasl { anonymous-user nobody; }
C
cat >/etc/mailutils-pop3d.conf <<'C'
logging { facility mail; syslog yes; tag gnu-pop3d; }
server 0.0.0.0:110 { tls-mode no; }
mode daemon;
max-children 300;
C
imap4d --no-site-config --config-file /etc/mailutils-imap4d.conf
pop3d --no-site-config --config-file /etc/mailutils-pop3d.conf
