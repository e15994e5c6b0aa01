# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_pop_before_smtp_global_optspecs
    string join \n d/debug b/background pid-file= user= config= dump-config map= map-type= postfix-bin= value= lmdb-update= sync= publish-interval= log= source= journal-unit= journal-uid= journal-exe= journal-directory= services= dovecot-login-format= line-prefix= escaped-newlines= grace= hold-while-connected= max-session= entries= max-addresses-per-user= reprocess once skip-networks= skip-mynetworks= max-users-per-address= syslog-name= count-relays= relay-warning= control= metrics-file= share-url= share-give= share-take= share-name= share-withdraw= backend= matcher= h/help V/version
end

function __fish_pop_before_smtp_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_pop_before_smtp_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_pop_before_smtp_using_subcommand
    set -l cmd (__fish_pop_before_smtp_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l pid-file -d 'Write the daemon\'s process id to FILE' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l publish-interval -d 'Least time between two publishes; the first change goes at once [default: 0 for sqlite and lmdb in-place, else 1s]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l grace -d 'How long a login lets its address relay: seconds, or with a unit s, m, h, d' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l hold-while-connected -d 'Keep an address while one of its sessions is open, and a full grace after that, where the server\'s log tells' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l max-session -d 'How long a session counts as open at most' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l entries -d 'How many addresses there may be at once' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l max-addresses-per-user -d 'In a full ring, addresses of a user or of an IPv6 /64 network with more than N give way before others; 0: the oldest of all gives way' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l max-users-per-address -d 'Grant an address nothing while more users than this log in from it within one grace; 0 does not count them' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l count-relays -d 'Count relays by grants in Postfix\'s lines' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l relay-warning -d 'Warn when an address relays more than N messages in an hour by its grant; 0: never' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l metrics-file -d 'Write metrics for Prometheus to FILE now and then' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l share-give -d 'The grants that this host\'s logs bring count on the other hosts, too' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l share-take -d 'The other hosts\' grants count here, too' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l share-name -d 'Who this host is to the others [default: the host\'s name]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l share-withdraw -d 'A clean stop ends what this host has given' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -s d -l debug -d 'Tell what would be done; write no table'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -s b -l background -d 'Become a daemon'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l dump-config -d 'Print all settings, and where each was said, as a file for --config'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l reprocess -d 'Treat each line already in the log as happening now'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -l once -d 'Stop at the end of the log'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -s V -l version -d 'Print version'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "list" -d 'Print every address that may relay, who logged in there, and until when'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "explain" -d 'Tell whether an address may relay, and why'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "revoke" -d 'End the grant of an address; the next login gives it another'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "grant" -d 'Let an address relay without a login'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "deny" -d 'Let no login grant an address or a network anything'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "status" -d 'Tell how the running daemon is'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "clear" -d 'Empty the table that a killed daemon has left; refused while a daemon serves it'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "check" -d 'Look for what keeps logins from becoming permissions in log, table and Postfix: one line per finding'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "match" -d 'Print each login that the matchers find in a log file, or tell how a line is read'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "report" -d 'Tell from logs of the past who relays by a login, which grace would do, and what is left before it can be switched off'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "matchers" -d 'Print the table of matchers: name, servers, what to switch on'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "postfix-config" -d 'Print the main.cf lines that make Postfix use the table'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_needs_command" -f -a "share" -d 'Set up the PostgreSQL database through which many hosts share their grants'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l all -d 'Of all hosts that share their grants, as the database has them'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -l json -d 'Print JSON, one object a line'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -l json -d 'Print JSON, one object a line'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -l everywhere -d 'On all hosts that share their grants'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l for -d 'For how long, at most a week [default: the grace]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand grant" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l remove -d 'Deny it no longer'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l everywhere -d 'On all hosts that share their grants'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l list -d 'Print what is denied'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -l json -d 'Print JSON, one object a line'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand deny" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l json -d 'Print JSON, one object a line'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -l prometheus -d 'Print it as metrics for Prometheus'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand clear" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -l probe -d 'Prove that Postfix would get the right answers: ask the table by postmap -q'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l format -d 'How to print an event' -r -f -a "text\t'For people'
tsv\t'`LINE<TAB>login|logout<TAB>ADDRESS<TAB>MATCHER<TAB>USER`'
json\t'One object a line'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l explain -d 'Tell of one line how it is read, and why it is or is not a login; `-` reads it from standard input' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l count -d 'Print only how many events of each kind there are'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -l suggest -d 'Tell which matchers fit the log files, and show lines like logins that none takes'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand match" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l since -d 'Leave out what was written earlier: 2026-11-22, \'2026-11-22 16:00\', or 7d for seven days ago' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l until -d 'Leave out what was written later' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'One object'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l html -d 'Write it as a page for a browser, too' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l format -d 'How to print it' -r -f -a "text\t'For people'
markdown\t'For a document'
json\t'One object a line'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand matchers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand postfix-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and not __fish_seen_subcommand_from init" -f -a "init" -d 'Make the tables, functions and roles, as the owner of the database'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l longest -d 'The longest grant that a host can give [default: the grace]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l user -d 'Once what needs root is done, become this user; only root can' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l config -d 'TOML file with settings, and with matchers of your own; the command line wins' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l map -d 'Table path without suffix' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l map-type -d 'Lookup table type handed to postmap [default: postconf -h default_database_type]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l postfix-bin -d 'Where postmap and postconf are [default: postconf -h command_directory]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l value -d 'Store TEXT in the table instead of the time of expiry' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l lmdb-update -d 'How backend lmdb changes its table' -r -f -a "rename\t'Write a new file and rename it; each smtpd restarts at its next client'
in-place\t'Change the file under a lock; no smtpd restarts'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l sync -d 'When backend lmdb forces its table to the disk' -r -f -a "always\t'At each publish'
never\t'When the system likes; for a table on tmpfs'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l log -d 'Log file, several times for several, wildcards allowed; `-` is standard input; tail:FILE, follow:FILE and journal:UNIT,... say for one log where its lines come from [default: /var/log/maillog, else /var/log/mail.log]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l source -d 'Where log lines come from' -r -f -a "auto\t'The log file by tail; the journal if there is no log file and --log names none'
tail\t'Through a child process, tail -F'
follow\t'In the daemon\'s own process'
journal\t'Systemd\'s journal, through a child process, journalctl'
stdin\t'Standard input, as --log -'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l journal-unit -d 'Of the journal, take entries of these units: dovecot.service' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l journal-uid -d 'Of the journal, take entries of these users, by number' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l journal-exe -d 'Of the journal, take entries of these programs, by path' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l journal-directory -d 'Directory of the journal\'s files [default: that of this system\'s journal]' -r -F
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l services -d 'Which services\' logins count; those of imap and pop3 always do [default: imap and pop3]' -r -f -a "imap\t'IMAP'
pop3\t'POP3'
submission\t'submission of Dovecot'
managesieve\t'ManageSieve of Dovecot'"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l dovecot-login-format -d 'Dovecot\'s login_log_format_elements, if they were changed' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l line-prefix -d 'What the site\'s own logger puts in front of each line; # is a digit, * a name' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l escaped-newlines -d 'Whether the syslog daemon escapes newlines in messages, as rsyslog does: then logins close behind a failed one count, too [default: true for a log that rsyslogd is seen to write so]' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l skip-networks -d 'Never publish these networks; loopback, unspecified, multicast and broadcast addresses never are' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l skip-mynetworks -d 'Never publish what Postfix\'s mynetworks permits already; asked of postconf at start' -r -f -a "true\t''
false\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l syslog-name -d 'What Postfix\'s syslog_name is, where it is neither postfix nor postfix-...; for report and --count-relays' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l control -d 'Where the daemon listens for commands; empty: nowhere [default: /run/pop-before-smtp/control if there is that directory, else the map with .control behind it]' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l share-url -d 'PostgreSQL that stands between the hosts that share their grants' -r
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l backend -d 'How the table is written' -r -f -a "postmap\t''
lmdb\t''
sqlite\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l matcher -d 'Which servers write the log; all is every one [default: those that this host has or its log shows]' -r -f -a "all\t''
apple-mail\t''
courier\t''
cucipop\t''
cyrus\t''
cyrus-1\t''
dbmail\t''
dovecot\t''
dovecot-proxy\t''
gnu-pop3d\t''
gromox\t''
imapproxy\t''
kopano\t''
mailutils\t''
nginx\t''
perdition\t''
popa3d\t''
qpopper\t''
solid-pop3d\t''
stalwart\t''
teapop\t''
tpop3d\t''
uw-imap\t''
uw-imap-no-proxy\t''
vdpop3d\t''
vm-pop3d\t''
vpopmail\t''"
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -l print -d 'Print the SQL, and change nothing'
complete -c pop-before-smtp -n "__fish_pop_before_smtp_using_subcommand share; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
