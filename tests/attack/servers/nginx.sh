# nginx 1.22 as a mail proxy.
cat >/etc/nginx/nginx.conf <<C
load_module modules/ngx_mail_module.so;
error_log ${OWN_LOG:-syslog:server=unix:/dev/log,nohostname} info;
events { worker_connections 1000; }
mail {
  auth_http 127.0.0.1:9080/;
  proxy_pass_error_message on;
  imap_auth plain login cram-md5;
  pop3_auth plain apop cram-md5;
  server { listen 143; protocol imap; }
  server { listen 110; protocol pop3; }
}
C
nginx
