package postfix

// masterTests are files with what is read of them. "smtp" and "pipe" are the clients of
// the queue manager that all of them have.
var masterTests = map[string]masterTest{
	"content filter after the queue": {map[string]string{
		"main.cf": "inet_interfaces = all\ncontent_filter = scan:[127.0.0.1]:10024\n",
		"master.cf": "smtp inet n - n - - smtpd\nscan unix - - n - 10 smtp\n  -o disable_dns_lookups=yes\n" +
			"127.0.0.1:10025 inet n - n - 10 smtpd\n  -o content_filter=\n  -o receive_override_options=no_unknown_recipient_checks\n",
	}, []string{
		"master.cf:1:1-5 smtp inet: invalid IP 25 Postfix smtpd mta; inet_interfaces is all (main.cf:1:19-22)",
		"master.cf:4:1-16 127.0.0.1:10025 inet: 127.0.0.1 10025 Postfix smtpd reinjection",
		"main.cf:2:23-40 smtp inet -> filter 127.0.0.1:10024",
	}},
	"proxy filter before the queue, with its port by a macro": {map[string]string{
		"main.cf": "inet_protocols = ipv4\nfilter_host = 127.0.0.1\nfilter_port = 10025\n",
		"master.cf": "25 inet n - n - 20 smtpd\n -o smtpd_proxy_filter=$filter_host:$filter_port\n" +
			"10026 inet n - n - - smtpd -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o smtpd_proxy_filter=\n",
	}, []string{
		"master.cf:1:1-3 25 inet: 0.0.0.0 25 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
		"master.cf:3:1-6 10026 inet: 0.0.0.0 10026 Postfix smtpd reinjection; inet_interfaces is not set; its default is all (default)",
		"main.cf:3:15-20 25 inet -> filter 127.0.0.1:10025",
	}},
	"a signer after submission, and a front that keeps addresses": {map[string]string{
		"main.cf": "inet_interfaces = loopback-only\ninet_protocols = ipv6\n",
		"master.cf": "25 inet n - n - - smtpd -o receive_override_options=no_address_mappings -o content_filter=x:[::1]:10024\n" +
			"submission inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o content_filter=dksign:[::1]:10027\n" +
			"10028 inet n - n - - smtpd -o { content_filter = } -o smtpd_client_restrictions=permit_mynetworks,reject\n",
	}, []string{
		"master.cf:1:1-3 25 inet: ::1 25 Postfix smtpd mta v6only",
		"master.cf:2:1-11 submission inet: ::1 587 Postfix smtpd submission v6only",
		"master.cf:3:1-6 10028 inet: ::1 10028 Postfix smtpd reinjection v6only",
		"master.cf:1:93-104 25 inet -> filter ::1:10024",
		"master.cf:2:88-99 submission inet -> filter ::1:10027",
	}},
	"submission over TLS, by restrictions and macros": {map[string]string{
		"main.cf": "mua = permit_sasl_authenticated, reject\n",
		"master.cf": "smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n" +
			"12345 inet n - n - - smtpd -o smtpd_relay_restrictions=$mua\n" +
			"12346 inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject_unauth_destination,reject\n",
	}, []string{
		"master.cf:1:1-6 smtps inet: invalid IP 465 Postfix smtpd submission tls; inet_interfaces is not set; its default is all (default)",
		"master.cf:2:1-6 12345 inet: invalid IP 12345 Postfix smtpd submission; inet_interfaces is not set; its default is all (default)",
		"master.cf:3:1-6 12346 inet: invalid IP 12346 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
	}},
	"postscreen hands to the smtpd of type pass": {map[string]string{
		"main.cf":   "inet_interfaces = 10.0.0.5\nsmtpd_milters = inet:127.0.0.1:1\n",
		"master.cf": "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd -o smtpd_milters=inet:127.0.0.1:11332\n628 inet n - n - - /usr/libexec/qmqpd\n",
	}, []string{
		"master.cf:1:1-5 smtp inet: 10.0.0.5 25 Postfix postscreen mta; inet_interfaces has 10.0.0.5 (main.cf:1:19-27)",
		"master.cf:3:1-4 628 inet: 10.0.0.5 628 Postfix qmqpd reinjection; inet_interfaces has 10.0.0.5 (main.cf:1:19-27)",
		"master.cf:2:50-65 smtp inet -> milter 127.0.0.1:11332",
	}},
	"addresses by name and in several lines": {map[string]string{
		"main.cf":      "inet_interfaces = mx\n  # inside\n  localhost, 10.0.0.9 10.0.0.9\n",
		"etc/hosts":    "127.0.0.1 localhost\n10.0.0.7\tmx.example MX # outside\n::1 localhost\n",
		"etc/services": "amavis 10024/udp\nfilter 10025/tcp reinject # in\n",
		"master.cf":    "reinject inet n - n - - smtpd\nhidden.example:26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-9 reinject inet 10.0.0.7: 10.0.0.7 10025 Postfix smtpd mta; inet_interfaces has mx (main.cf:1:19-21)",
		"master.cf:1:1-9 reinject inet 127.0.0.1: 127.0.0.1 10025 Postfix smtpd mta; inet_interfaces has localhost (main.cf:3:3-12)",
		"master.cf:1:1-9 reinject inet ::1: ::1 10025 Postfix smtpd mta v6only; inet_interfaces has localhost (main.cf:3:3-12)",
		"master.cf:1:1-9 reinject inet 10.0.0.9: 10.0.0.9 10025 Postfix smtpd mta; inet_interfaces has 10.0.0.9 (main.cf:3:14-22)",
		`master.cf:2:1-18 hidden.example:26 inet: invalid IP 26 Postfix smtpd mta; doubt: the address of "hidden.example" is not in the files`,
	}},
	"the last of two services with one endpoint, and one that is disabled": {map[string]string{
		"main.cf": "inet_interfaces=all\nmaster_service_disable = 10007.inet, !10008/inet, submission/inet, none\n",
		"master.cf": "25 inet n - n - - smtpd -o content_filter=a:b:1\nsmtp inet n - n - - postscreen\n10007 inet n - n - - smtpd\n10008 inet n - n - - smtpd\n" +
			"[::1]:26 inet n - n - - smtpd\n0:0::1:026 inet n - n - - smtpd\n587 inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n",
	}, []string{
		"master.cf:2:1-5 smtp inet: invalid IP 25 Postfix postscreen mta; inet_interfaces is all (main.cf:1:17-20)",
		"master.cf:4:1-6 10008 inet: invalid IP 10008 Postfix smtpd mta; inet_interfaces is all (main.cf:1:17-20)",
		"master.cf:6:1-11 0:0::1:026 inet: ::1 26 Postfix smtpd mta v6only",
		"master.cf:7:1-4 587 inet: invalid IP 587 Postfix smtpd submission; inet_interfaces is all (main.cf:1:17-20)",
	}},
	"lines that continue over comments, and columns after other characters": {map[string]string{
		"main.cf": " lost = 1\ncontent_filter = old:\ncontent_filter =\n# not the end\n\n  \u00e9\U0001f600:[127.0.0.1]:10024\ninet_interfaces = \n",
		"master.cf": "\t-o lost\n127.0.0.1:25 inet\n#n\n\n n - n - -\r\n smtpd\n   # x\n -o\n {\n smtpd_milters = inet:localhost:8891 }\n" +
			"\u00e9\U0001f600 unix - - n - - smtp\n",
	}, []string{
		"master.cf:2:1-13 127.0.0.1:25 inet: 127.0.0.1 25 Postfix smtpd mta",
		"main.cf:6:7-24 127.0.0.1:25 inet -> filter 127.0.0.1:10024",
		"master.cf:10:23-37 127.0.0.1:25 inet -> milter localhost:8891",
	}},
	"transports": {map[string]string{
		"main.cf": "relayhost = [mx.example]:submission\nsmtp_fallback_relay = mx2.example\nvirtual_transport = lmtp:inet:127.0.0.1:24\n" +
			"mailbox_transport = lmtp:unix:private/dovecot-lmtp\nlocal_transport = dovecot:x\ndefault_transport = smtp:\nrelay_transport = gone:[10.0.0.1]:26, [10.0.0.2]\n" +
			"fallback_transport = error:5.1.1 unknown:26\ntransport_maps = hash:/etc/postfix/transport\n",
		"transport": "# x\nexample.com  smtp:[10.0.0.3]\nexample.org\n   lmtp:10.0.0.4\nexample.net :\n",
		"master.cf": "smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\ndovecot unix - - n - - pipe argv=/x\n",
	}, []string{
		"transport:2:19-29  -> relay 10.0.0.3:25",
		"transport:4:9-17  -> relay 10.0.0.4:24",
		"main.cf:1:13-36  -> relay mx.example:587",
		"main.cf:2:23-34  -> relay mx2.example:25",
		"main.cf:7:24-37  -> relay 10.0.0.1:26",
		"main.cf:7:39-49  -> relay 10.0.0.2:25",
		"main.cf:3:31-43  -> deliver 127.0.0.1:24",
	}},
	"milters, policies, tables and authentication": {map[string]string{
		"main.cf": "smtpd_milters = { inet:[::1]:8891, default_action=accept }, unix:run/x\nnon_smtpd_milters = $smtpd_milters\n" +
			"smtpd_restriction_classes = greylist\ngreylist = check_policy_service inet:127.0.0.1:10023\n" +
			"smtpd_recipient_restrictions = check_recipient_access hash:/x, greylist, check_policy_service { inet:policy.example:12340, timeout=1s }\n" +
			"smtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:12345\n" +
			"smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix, proxy:tcp:[::1]:10000\n",
		"master.cf": "26 inet n - n - - smtpd -o smtpd_helo_restrictions=greylist\n",
	}, []string{
		"master.cf:1:1-3 26 inet: invalid IP 26 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
		"main.cf:1:24-34 26 inet -> milter ::1:8891",
		"main.cf:7:24-39 26 inet -> lookup 127.0.0.1:12345",
		"main.cf:4:38-53 26 inet -> policy 127.0.0.1:10023",
		"main.cf:5:102-122 26 inet -> policy policy.example:12340",
		"main.cf:1:24-34  -> milter ::1:8891",
		"main.cf:8:39-53  -> lookup 127.0.0.1:8461",
		"main.cf:8:73-84  -> lookup ::1:10000",
	}},
	"programs that spawn starts": {map[string]string{
		"main.cf": "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10031\npostscreen_access_list = tcp:127.0.0.1:10027\n",
		"master.cf": "127.0.0.1:10030 inet n n n - 0 spawn user=nobody argv=/usr/bin/python3 /usr/bin/policyd-spf -x\n" +
			"127.0.0.1:10031 inet n n n - 0 spawn user=nobody argv=/opt/own\n127.0.0.1:10027 inet n n n - 0 spawn user=nobody argv=/opt/own\n" +
			"127.0.0.1:10032 inet n n n - 0 spawn user=nobody argv=/opt/own\n",
	}, []string{
		"master.cf:1:1-16 127.0.0.1:10030 inet: 127.0.0.1 10030 policyd-spf (python) policy",
		"master.cf:2:1-16 127.0.0.1:10031 inet: 127.0.0.1 10031  policy",
		"master.cf:3:1-16 127.0.0.1:10027 inet: 127.0.0.1 10027  policy",
		"master.cf:4:1-16 127.0.0.1:10032 inet: 127.0.0.1 10032  unknown",
		"main.cf:1:58-73  -> policy 127.0.0.1:10031",
		"main.cf:2:30-45  -> lookup 127.0.0.1:10027",
	}},
	"the action FILTER": {map[string]string{
		"main.cf": "header_checks = regexp:/etc/postfix/checks\nsmtpd_sender_restrictions = check_sender_access static:{FILTER smtp:[127.0.0.1]:10026}, " +
			"check_client_access proxy:cidr:/etc/postfix/clients\n",
		"checks":    "/^Subject: a b/  FILTER smtp:[127.0.0.1]:10027\n/x/ REJECT\n",
		"clients":   "10.0.0.0/8 FILTER smtp:[127.0.0.1]:10028\n",
		"master.cf": "26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-3 26 inet: invalid IP 26 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
		"main.cf:2:69-86 26 inet -> filter 127.0.0.1:10026",
		"clients:1:24-41 26 inet -> filter 127.0.0.1:10028",
		"checks:1:30-47  -> filter 127.0.0.1:10027",
	}},
	"what Postfix does not accept": {map[string]string{
		"main.cf": "x\n= 1\ninet_protocols = ipv4, ipv5\ncontent_filter = $a\na = $content_filter\n",
		"master.cf": "for x in y\n25 inet - - n - - smtpd\n26 tcp n - n - - smtpd\n27 inet n - n - x smtpd\n28 inet n - n - - smtpd -o x\n29 inet n - n - - smtpd -o { a=b }c\n" +
			"30 inet n - n - - smtpd -v -o\n$port inet n - n - - smtpd\n[::1]:31 inet n - n - - smtpd\n*:32 inet n - n - - smtpd\n0 inet n - n - - smtpd\n[::1:33 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:5:1-3 28 inet: 0.0.0.0 28 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
		"master.cf:7:1-3 30 inet: 0.0.0.0 30 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
		"master.cf:9:1-9 [::1]:31 inet: ::1 31 Postfix smtpd mta v6only; doubt: ::1 is of no protocol of inet_protocols",
		`master.cf:10:1-5 *:32 inet: invalid IP 32 Postfix smtpd mta; doubt: "*" is not an address that Postfix accepts`,
		"main.cf:1:1-2 doubt: = is missing after the name; Postfix does not start",
		"main.cf:2:1-4 doubt: a name is missing before =; Postfix does not start",
		"main.cf:3:24-28 doubt: inet_protocols has no protocol ipv5; Postfix does not start",
		"master.cf:1:1-11 doubt: a service needs eight fields; Postfix does not start",
		"master.cf:2:9-10 doubt: a service has no private -; Postfix does not start",
		"master.cf:3:4-7 doubt: a service has no type tcp; Postfix does not start",
		"master.cf:4:17-18 doubt: a service has no maxproc x; Postfix does not start",
		"master.cf:5:28-29 doubt: = is missing after the name; smtpd does not start",
		"master.cf:6:28-36 doubt: text follows }; Postfix does not start",
		"master.cf:7:28-30 doubt: -o has no value; smtpd does not start",
		"main.cf:4:18-20 doubt: content_filter: its macros are nested too deeply",
		`master.cf:8:1-6 doubt: "$port" has no port that is known here`,
		"master.cf:9:2-5 doubt: ::1 is of no protocol of inet_protocols; Postfix does not start",
		`master.cf:11:1-2 doubt: "0" has no port that is known here`,
		`master.cf:12:1-8 doubt: "[::1:33" has no port that is known here`,
	}},
	"templates": {map[string]string{
		"main.cf": "{% if tls and x == y %}\nrelayhost = [{{ relay.host }}]:26\n{% endif %}\ncontent_filter = x:{{ filter }}:10024\nsmtpd_milters = inet:{{ host }}:{{ port }}\n" +
			"inet_interfaces = {{ bind.address }}\n",
		"master.cf": "{% for x in y %}\n25 inet n - n - {{ max processes }} smtpd\n[% pmg.mail.port %] inet n - n - - smtpd\n<%= host %>:26 inet n - n - - smtpd\n{% endfor %}\n",
	}, []string{
		`master.cf:2:1-3 25 inet: invalid IP 25 Postfix smtpd mta; inet_interfaces has {{ bind.address }} (main.cf:6:19-37); doubt: the address of "{{ bind.address }}" is not in the files`,
		`master.cf:4:1-15 <%= host %>:26 inet: invalid IP 26 Postfix smtpd mta; doubt: the address of "<%= host %>" is not in the files`,
		"main.cf:4:20-38 25 inet -> filter {{ filter }}:10024",
		"main.cf:4:20-38 <%= host %>:26 inet -> filter {{ filter }}:10024",
		"main.cf:2:13-34  -> relay {{ relay.host }}:26",
		"main.cf:1:1-24 doubt: the file is a template; what it becomes is not known",
		"master.cf:1:1-17 doubt: the file is a template; what it becomes is not known",
		`master.cf:3:1-20 doubt: "[% pmg.mail.port %]" has no port that is known here`,
		"main.cf:5:22-43 doubt: smtpd_milters has no port that is known here: {{ port }}",
	}},
	"mail past the milters, for the host itself": {map[string]string{
		"main.cf":   "smtpd_milters = inet:rspamd:9900\n",
		"master.cf": "590 inet n - n - - smtpd -o smtpd_milters= -o smtpd_client_restrictions=permit_mynetworks,reject\n591 inet n - n - - smtpd -o smtpd_milters=\n",
	}, []string{
		"master.cf:1:1-4 590 inet: invalid IP 590 Postfix smtpd reinjection; inet_interfaces is not set; its default is all (default)",
		"master.cf:2:1-4 591 inet: invalid IP 591 Postfix smtpd mta; inet_interfaces is not set; its default is all (default)",
	}},
	"names that the files do not set": {map[string]string{
		"main.cf":   "inet_interfaces = $myhostname, localhost\ncontent_filter = x:[$filter]:1\nrelayhost = ${nothing?a}${nothing:[b]}\nsmtpd_milters = inet:127.0.0.1:milter\n",
		"master.cf": "25 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-3 25 inet $myhostname: invalid IP 25 Postfix smtpd mta; inet_interfaces has $myhostname (main.cf:1:20-30); doubt: inet_interfaces refers to $myhostname, which the files do not set",
		"master.cf:1:1-3 25 inet 127.0.0.1: 127.0.0.1 25 Postfix smtpd mta; inet_interfaces has localhost (main.cf:1:32-41)",
		"main.cf:2:28-31 25 inet $myhostname -> filter $filter:1",
		"main.cf:2:28-31 25 inet 127.0.0.1 -> filter $filter:1",
		"main.cf:3:35-38  -> relay b:25",
		"main.cf:1:19-41 doubt: inet_interfaces refers to $myhostname, which the files do not set",
		"main.cf:2:18-31 doubt: content_filter refers to $filter, which the files do not set",
		"main.cf:4:22-38 doubt: smtpd_milters has no port that is known here: milter",
	}},
	"a comparison with a name that the files do not set": {map[string]string{
		"main.cf":   "inet_interfaces = ${{$nothing 1} < {$$ 1}?{10.0.0.1}:{10.0.0.2}}\n",
		"master.cf": "25 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-3 25 inet: 10.0.0.1 25 Postfix smtpd mta; inet_interfaces has 10.0.0.1 (main.cf:1:44-52)",
		"main.cf:1:19-65 doubt: inet_interfaces refers to $nothing, which the files do not set",
	}},
	"localhost without IPv4": {map[string]string{
		"main.cf":   "inet_protocols = ipv6\n",
		"master.cf": "localhost:26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-13 localhost:26 inet: ::1 26 Postfix smtpd mta v6only",
	}},
	"a name without an address of inet_protocols": {map[string]string{
		"main.cf":   "inet_protocols = ipv6\n",
		"etc/hosts": "127.0.0.1 localhost\n",
		"master.cf": "localhost:26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-13 localhost:26 inet: 127.0.0.1 26 Postfix smtpd mta; doubt: localhost has no address of a protocol of inet_protocols",
		"master.cf:1:1-10 doubt: localhost has no address of a protocol of inet_protocols; Postfix does not start",
	}},
	"without main.cf": {map[string]string{
		"master.cf": "25 inet n - n - - smtpd\n127.0.0.1:26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:1:1-3 25 inet: invalid IP 25 Postfix smtpd mta; inet_interfaces is not set; its default is all (default); doubt: main.cf is not beside master.cf",
		"master.cf:2:1-13 127.0.0.1:26 inet: 127.0.0.1 26 Postfix smtpd mta",
		"master.cf:1:1-1 doubt: main.cf is not beside master.cf; the defaults of Postfix are assumed",
	}},
	"main.cf alone": {map[string]string{
		"main.cf": "content_filter = smtp:[127.0.0.1]:10024\nlocal_transport = virtual\n",
	}, []string{
		"main.cf:1:23-40  -> filter 127.0.0.1:10024",
		"main.cf:1:1-1 doubt: master.cf is not beside main.cf; it has the services that listen",
	}},
	"no protocol at all": {map[string]string{
		"main.cf":   "inet_protocols =\n",
		"master.cf": "25 inet n - n - - smtpd\nsmtp unix - - n - - smtp\n",
	}, nil},
	"no interface at all": {map[string]string{
		"main.cf":   "inet_interfaces =\n",
		"master.cf": "25 inet n - n - - smtpd\n127.0.0.1:26 inet n - n - - smtpd\n",
	}, []string{
		"master.cf:2:1-13 127.0.0.1:26 inet: 127.0.0.1 26 Postfix smtpd mta",
		"main.cf:1:1-16 doubt: inet_interfaces has no address; Postfix does not start with a service that has none",
	}},
}
