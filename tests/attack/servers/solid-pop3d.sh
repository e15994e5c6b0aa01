useradd --base-dir "$STAGE" --create-home alice
echo alice:secret | chpasswd
touch /var/mail/alice && chown alice:mail /var/mail/alice && chmod 660 /var/mail/alice
solid-pop3d
