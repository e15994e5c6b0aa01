sed -i -e 's/^listen_port .*/listen_port 143/' -e 's/^server_port .*/server_port 9143/' -e 's/^server_hostname .*/server_hostname 127.0.0.1/' \
  -e 's/^cache_size .*/cache_size 3000/' /etc/imapproxy.conf
mkdir -p /var/lib/imapproxy/chroot
imapproxyd -f /etc/imapproxy.conf
