#!/bin/sh
# Installs what the tests of this folder need, on Debian and its kin:
#
#   install.sh         the mail daemons from Debian packages; some, which conflict with
#                      others, are only unpacked, into /var/cache/mxsweep-e2e/unpacked
#   install.sh fixes   also the daemons on which fixes are proven; those whose packages
#                      conflict with others into folders of /var/cache/mxsweep-e2e
#   install.sh readers what reads reports in the tests of package report: xmllint,
#                      ndiff, Nmap::Parser, Chromium
#   install.sh lab     the mail daemons of internal/lab, and no others
#
# No daemon is started: while this runs, /usr/sbin/policy-rc.d says no (what
# was there before is put back at the end), and units that came with the new
# packages are disabled, so that the next boot does not start them either.
# Without apt-get or root it says so and changes nothing; the tests then skip.
set -eu

packages='postfix amavisd-new postgrey dovecot-imapd dovecot-lmtpd haproxy
dovecot-pop3d dovecot-managesieved dovecot-submissiond
nginx libnginx-mod-mail libnginx-mod-stream socat opendkim sqlgrey libdbd-sqlite3-perl sqlite3 postfwd rspamd
policyd-rate-limit policyd-weight opendmarc bind9 bind9-utils knot nsd unbound iproute2 nftables util-linux procps'

# What else the proofs of all fixes start.
fixes='postsrsd spampd spamd spamass-milter clamav-daemon clamav-milter memcached
perdition imapproxy clamsmtp mimedefang pyspf-milter dkimpy-milter'

# Hosts whose packages conflict with those above, and the packages: they are
# installed into layers that only these hosts see.
layers='fix-data:mariadb-server slapd redis-server postgresql
fix-exim:exim4-daemon-light
fix-cyrus:cyrus-imapd cyrus-pop3d cyrus-nntpd cyrus-caldav cyrus-replication
fix-courier:courier-imap courier-pop
fix-opensmtpd:opensmtpd
fix-lists:mailman3 dbconfig-sqlite3
fix-sendmail:sendmail-bin sensible-mda
fix-esmtpd:courier-mta
fix-sogo:sogo
'

# Daemons and proxies that conflict with those above or with each other, unpacked with
# what they need: TestProxies starts them where they are. docker.io has more than its proxy.
unpacked='exim4-daemon-heavy opensmtpd chasquid sslh stunnel4 hitch cyrus-imapd courier-imap'

# What reads reports.
readers='libxml2-utils ndiff libnmap-parser-perl chromium'

here=$(cd "$(dirname "$0")" && pwd)
want=$packages
if [ "${1:-}" = readers ]; then
	want=$readers
elif [ "${1:-}" = fixes ]; then
	want="$want $fixes"
elif [ "${1:-}" = lab ]; then
	want=python3 # internal/lab has a list of its own
fi

if ! command -v apt-get >/dev/null 2>&1; then
	echo "install.sh: no apt-get here; the tests with real daemons will be skipped"
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	echo "install.sh: not root; the tests with real daemons will be skipped"
	exit 0
fi

installed() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

missing=
before=$(installed)
for p in $want; do
	printf '%s\n' "$before" | grep -qxF "$p" || missing="$missing $p"
done

policy=/usr/sbin/policy-rc.d
forbid() {
	# A copy that an interrupted run left is the original.
	if [ -e "$policy" ] && [ ! -e "$policy.mxsweep" ]; then
		mv "$policy" "$policy.mxsweep"
	fi
	printf '#!/bin/sh\nexit 101\n' >"$policy.new"
	chmod 755 "$policy.new"
	mv "$policy.new" "$policy"
}
restore() {
	rm -f "$policy"
	if [ -e "$policy.mxsweep" ]; then
		mv "$policy.mxsweep" "$policy"
	fi
}

# Disables the units of packages that were not there before.
disable_new_units() {
	command -v systemctl >/dev/null 2>&1 || return 0
	installed | while read -r p; do
		printf '%s\n' "$before" | grep -qxF "$p" && continue
		dpkg -L "$p" | sed -n 's,^.*/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$,\1,p'
	done | while read -r unit; do
		systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
	done
}

if [ -n "$missing" ]; then
	trap restore EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	forbid
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update >/dev/null
	# Without these answers the packages ask, or set up a service of their own.
	debconf-set-selections <<-'ANSWERS'
		postfix postfix/main_mailer_type select No configuration
		policyd-rate-limit policyd-rate-limit/dbconfig-install boolean false
	ANSWERS
	# shellcheck disable=SC2086 # a list of words
	apt-get -y -q install --no-install-recommends --no-upgrade \
		-o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 $missing
	disable_new_units
	trap - EXIT INT TERM
	restore
fi
echo "install.sh: installed:${missing:- nothing, all was there}"

# Unpacks the packages of $unpacked into a folder, and tells which cannot be had.
unpack() {
	folder=/var/cache/mxsweep-e2e/unpacked
	if [ "$(cat "$folder/.complete" 2>/dev/null)" = "$unpacked" ]; then
		return 0
	fi
	[ -n "$missing" ] || apt-get -q update >/dev/null
	rm -rf "$folder"
	mkdir -p "$folder/debs/partial" "$folder/docker/partial"
	for p in $unpacked; do
		# --reinstall: also where this machine has the package.
		apt-get -y -q --download-only --reinstall --no-install-recommends -o "Dir::Cache::archives=$folder/debs" \
			-o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 install "$p" >/dev/null || echo "install.sh: package $p cannot be had"
	done
	for deb in "$folder"/debs/*.deb; do
		dpkg -x "$deb" "$folder" || echo "install.sh: $deb cannot be unpacked"
	done
	if (cd "$folder/docker" && apt-get -q -o APT::Sandbox::User=root download docker.io >/dev/null); then
		dpkg --fsys-tarfile "$folder"/docker/docker.io_*.deb | tar -x -C "$folder" ./usr/sbin/docker-proxy
	else
		echo "install.sh: package docker.io cannot be had"
	fi
	rm -rf "$folder/debs" "$folder/docker"
	printf '%s\n' "$unpacked" >"$folder/.complete"
	echo "install.sh: unpacked: $unpacked docker-proxy"
}

# Installs packages into an overlay above this machine's files, in a mount
# namespace of its own, and keeps what that changed as the layer of a host.
make_layer() {
	layer=/var/cache/mxsweep-e2e/$1
	if [ "$(cat "$layer/.complete" 2>/dev/null)" = "$2" ] && [ -e "$layer/var/lib/dpkg/status" ]; then
		return 0
	fi
	[ -n "$updated" ] || apt-get -q update >/dev/null
	updated=yes
	rm -rf "$layer"
	mkdir -p "$layer"
	# shellcheck disable=SC2016 # expanded by the shell that runs it
	layer=$layer unshare -m sh -euc '
		mount --make-rprivate /
		here=$(mktemp -d)
		mount -t tmpfs layer "$here"
		cd "$here"
		mkdir upper work root
		mount -t overlay layer -o "lowerdir=/,upperdir=$here/upper,workdir=$here/work" root
		for top in proc sys dev; do mount --rbind "/$top" "root/$top"; done
		for top in tmp run; do mount -t tmpfs "$top" "root/$top"; done
		printf "#!/bin/sh\nexit 101\n" >root/usr/sbin/policy-rc.d
		chmod 755 root/usr/sbin/policy-rc.d
		echo man-db man-db/auto-update boolean false | chroot root debconf-set-selections
		# apt-get also fails for what an installation on the machine itself, at the same
		# time, has left half done: what counts is whether the packages are there.
		# shellcheck disable=SC2086 # a list of words
		DEBIAN_FRONTEND=noninteractive chroot root apt-get -y -q install --no-install-recommends \
			-o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 $1 </dev/null || :
		for p in $1; do
			[ "$(chroot root dpkg-query -W -f "\${db:Status-Status}" "$p")" = installed ] ||
				{ echo "install.sh: package $p cannot be installed" >&2; exit 1; }
		done
		# Of packages that the machine has already, the layer would not know.
		touch root/var/lib/dpkg/status
		umount root/tmp root/run
		rm -rf upper/usr/sbin/policy-rc.d upper/tmp upper/run upper/var/cache/apt upper/var/lib/apt upper/usr/share/man upper/usr/share/locale
		cp -a upper/. "$layer"
	' sh "$2"
	printf '%s\n' "$2" >"$layer/.complete"
	echo "install.sh: installed for host $1: $2"
}

if [ -z "${1:-}" ]; then
	unpack
fi

if [ "${1:-}" = fixes ]; then
	updated=$missing
	printf '%s' "$layers" | while IFS=: read -r host list; do
		make_layer "$host" "$list"
	done
fi

if [ "${1:-}" = lab ]; then
	"$here/../lab/lab" install
fi
