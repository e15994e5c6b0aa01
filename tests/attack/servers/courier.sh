# Courier 5.0.13 and its POP3 server, with accounts of its own file. Failed logins wait for five seconds there.
useradd --base-dir "$STAGE" --create-home alice
su alice -c 'maildirmake.courier ~/Maildir' || su alice -c 'maildirmake ~/Maildir'
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
touch /etc/courier/userdb && chmod 700 /etc/courier/userdb
userdb alice set uid="$(id -u alice)" gid="$(id -g alice)" home=$STAGE/alice mail=$STAGE/alice/Maildir
echo secret | userdbpw -md5 | userdb alice set systempw
makeuserdb
sed -i -e 's/^MAXPERIP=.*/MAXPERIP=200/' -e 's/^MAXDAEMONS=.*/MAXDAEMONS=400/' /etc/courier/imapd /etc/courier/pop3d
for service in courier-authdaemon courier-imap courier-pop; do /etc/init.d/$service start; done
