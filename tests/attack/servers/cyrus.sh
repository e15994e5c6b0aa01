# Cyrus 3.6 with passwords in a file of SASL's.
sed -i -e '/^\t*\(nntp\|http\|lmtpunix\|sieve\|notify\)/d' /etc/cyrus.conf
printf '%s\n' 'allowanonymouslogin: yes' 'sasl_mech_list: PLAIN LOGIN ANONYMOUS' 'failedloginpause: 0' \
  'autocreate_inbox_folders: INBOX' 'autocreate_quota: 100000' >>/etc/imapd.conf
sed -i -e '/^allowanonymouslogin: no/d' -e '/^autocreate_quota: 0/d' /etc/imapd.conf
echo secret | saslpasswd2 -p -c -u "$(hostname)" alice
chown cyrus /etc/sasldb2
/etc/init.d/cyrus-imapd start
