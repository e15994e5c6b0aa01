_pop__before__smtp() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="pop__before__smtp"
                ;;
            pop__before__smtp,check)
                cmd="pop__before__smtp__subcmd__check"
                ;;
            pop__before__smtp,clear)
                cmd="pop__before__smtp__subcmd__clear"
                ;;
            pop__before__smtp,deny)
                cmd="pop__before__smtp__subcmd__deny"
                ;;
            pop__before__smtp,explain)
                cmd="pop__before__smtp__subcmd__explain"
                ;;
            pop__before__smtp,grant)
                cmd="pop__before__smtp__subcmd__grant"
                ;;
            pop__before__smtp,list)
                cmd="pop__before__smtp__subcmd__list"
                ;;
            pop__before__smtp,match)
                cmd="pop__before__smtp__subcmd__match"
                ;;
            pop__before__smtp,matchers)
                cmd="pop__before__smtp__subcmd__matchers"
                ;;
            pop__before__smtp,postfix-config)
                cmd="pop__before__smtp__subcmd__postfix__subcmd__config"
                ;;
            pop__before__smtp,report)
                cmd="pop__before__smtp__subcmd__report"
                ;;
            pop__before__smtp,revoke)
                cmd="pop__before__smtp__subcmd__revoke"
                ;;
            pop__before__smtp,share)
                cmd="pop__before__smtp__subcmd__share"
                ;;
            pop__before__smtp,status)
                cmd="pop__before__smtp__subcmd__status"
                ;;
            pop__before__smtp__subcmd__share,init)
                cmd="pop__before__smtp__subcmd__share__subcmd__init"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        pop__before__smtp)
            opts="-d -b -h -V --debug --background --pid-file --user --config --dump-config --map --map-type --postfix-bin --value --lmdb-update --sync --publish-interval --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --grace --hold-while-connected --max-session --entries --max-addresses-per-user --reprocess --once --skip-networks --skip-mynetworks --max-users-per-address --syslog-name --count-relays --relay-warning --control --metrics-file --share-url --share-give --share-take --share-name --share-withdraw --backend --matcher --help --version list explain revoke grant deny status clear check match report matchers postfix-config share"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --pid-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --publish-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --grace)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --hold-while-connected)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --max-session)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --entries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-addresses-per-user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --max-users-per-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count-relays)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --relay-warning)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --metrics-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-give)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --share-take)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --share-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-withdraw)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__check)
            opts="-h --probe --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__clear)
            opts="-h --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__deny)
            opts="-h --remove --everywhere --list --json --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__explain)
            opts="-h --json --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__grant)
            opts="-h --for --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --for)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__list)
            opts="-h --all --json --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__match)
            opts="-h --format --count --explain --suggest --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "text tsv json" -- "${cur}"))
                    return 0
                    ;;
                --explain)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__matchers)
            opts="-h --format --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "text markdown json" -- "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__postfix__subcmd__config)
            opts="-h --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__report)
            opts="-h --since --until --format --html --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --since)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --until)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "text json" -- "${cur}"))
                    return 0
                    ;;
                --html)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__revoke)
            opts="-h --everywhere --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__share)
            opts="-h --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help init"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__share__subcmd__init)
            opts="-h --print --longest --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --longest)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        pop__subcmd__before__subcmd__smtp__subcmd__status)
            opts="-h --json --prometheus --user --config --map --map-type --postfix-bin --value --lmdb-update --sync --log --source --journal-unit --journal-uid --journal-exe --journal-directory --services --dovecot-login-format --line-prefix --escaped-newlines --skip-networks --skip-mynetworks --syslog-name --control --share-url --backend --matcher --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --map-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --postfix-bin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --value)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lmdb-update)
                    COMPREPLY=($(compgen -W "rename in-place" -- "${cur}"))
                    return 0
                    ;;
                --sync)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                --log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto tail follow journal stdin" -- "${cur}"))
                    return 0
                    ;;
                --journal-unit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-uid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-exe)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --journal-directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --services)
                    COMPREPLY=($(compgen -W "imap pop3 submission managesieve" -- "${cur}"))
                    return 0
                    ;;
                --dovecot-login-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --line-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --escaped-newlines)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --skip-networks)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-mynetworks)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --syslog-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --control)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --share-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --backend)
                    COMPREPLY=($(compgen -W "postmap lmdb sqlite" -- "${cur}"))
                    return 0
                    ;;
                --matcher)
                    COMPREPLY=($(compgen -W "all apple-mail courier cucipop cyrus cyrus-1 dbmail dovecot dovecot-proxy gnu-pop3d gromox imapproxy kopano mailutils nginx perdition popa3d qpopper solid-pop3d stalwart teapop tpop3d uw-imap uw-imap-no-proxy vdpop3d vm-pop3d vpopmail" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _pop__before__smtp -o nosort -o bashdefault -o default pop-before-smtp
else
    complete -F _pop__before__smtp -o bashdefault -o default pop-before-smtp
fi
