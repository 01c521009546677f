// Package config finds the configuration files of mail daemons and of what starts
// them, and reads which listeners they open.
package config

import (
	"cmp"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/config/container"
	"github.com/mxsweep/mxsweep/listeners/config/daemons"
	"github.com/mxsweep/mxsweep/listeners/config/dovecot"
	"github.com/mxsweep/mxsweep/listeners/config/firewall"
	"github.com/mxsweep/mxsweep/listeners/config/perl"
	"github.com/mxsweep/mxsweep/listeners/config/postfix"
	"github.com/mxsweep/mxsweep/listeners/config/proxy"
	"github.com/mxsweep/mxsweep/listeners/config/rspamd"
	"github.com/mxsweep/mxsweep/listeners/config/systemd"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A kind is a kind of configuration file.
type kind struct {
	name string // for people

	// is reports whether a file is of the kind; text returns its text.
	is func(name string, text func() string) bool

	// read reads a file. It returns no error: what it cannot read is a Doubt.
	read func(t *source.Tree, f *source.File) listeners.Config

	// partOf is the kind of the files that usually include it, "" if it is no part: it is
	// read by itself only if none of them did.
	partOf string
}

// daemon returns what the kind shares with those that include it or are a part of it.
func (k *kind) daemon() string { return cmp.Or(k.partOf, k.name) }

// kinds are all kinds. Of those of one daemon the first that fits a file is its kind.
var kinds = append([]kind{
	{name: "Docker Compose override", is: named(container.Overrides...), read: container.Compose, partOf: "Docker Compose"},
	{name: "Docker Compose", is: isCompose, read: container.Compose},
	{name: container.DockerfileKind, is: isDockerfile, read: container.Dockerfile, partOf: "Docker Compose"},
	{name: "Kubernetes", is: isKubernetes, read: container.Kubernetes},
	{name: "Postfix master.cf", is: named("master.cf", "master.cf.in", "master.cf.j2", "master.cf.template", "master.cf.tmpl", "master.cf.tpl"), read: postfix.Master},
	{name: "Postfix main.cf", is: named("main.cf", "main.cf.in", "main.cf.j2", "main.cf.template", "main.cf.tmpl", "main.cf.tpl"), read: postfix.Main, partOf: "Postfix master.cf"},
	{name: "Dovecot", is: named("dovecot.conf", "dovecot.conf.in", "dovecot.conf.j2", "dovecot.conf.template", "dovecot.conf.tmpl", "dovecot.conf.tpl"), read: dovecot.Main},
	{name: "Dovecot part", is: isDovecotPart, read: dovecot.Part, partOf: "Dovecot"},
	{name: "DKIMproxy", is: named("dkimproxy_in.conf", "dkimproxy_out.conf", "dkimproxy.conf"), read: daemons.DKIMproxy},
	{name: "OpenDKIM", is: named("opendkim.conf"), read: daemons.OpenDKIM},
	{name: "OpenDMARC", is: named("opendmarc.conf"), read: daemons.OpenDMARC},
	{name: "HAProxy", is: named("haproxy.cfg", "haproxy/*.cfg", "haproxy/conf.d/*.cfg", "haproxy.cfg.j2", "haproxy.cfg.template"), read: proxy.HAProxy},
	{name: "nginx", is: named("nginx.conf", "nginx.conf.j2", "nginx.conf.template"), read: proxy.Nginx},
	{name: "nginx include", is: named("sites-enabled/*", "nginx/conf.d/*.conf"), read: proxy.Nginx, partOf: "nginx"},
	{name: "amavisd", is: named("amavisd.conf", "amavisd.conf.j2", "amavisd.conf.template", "amavisd.conf.tmpl", "amavisd.conf.tpl", "amavis/conf.d/*"), read: perl.Amavis},
	{name: "policyd-weight", is: named("policyd-weight.conf"), read: perl.PolicydWeight},
	{name: "Rspamd", is: named("rspamd.conf"), read: rspamd.Main},
	{name: "Rspamd worker", is: named("local.d/worker-*.inc", "override.d/worker-*.inc", "rspamd/worker-*.inc"), read: rspamd.Worker, partOf: "Rspamd"},
	{name: "Rspamd part", is: named("rspamd.conf.local", "rspamd.conf.override"), read: rspamd.End, partOf: "Rspamd"},
	{name: "systemd service", is: named("*.service"), read: systemd.Service},
	{name: "systemd service drop-in", is: named("*.service.d/*.conf"), read: systemd.Service, partOf: "systemd service"},
	{name: "systemd socket", is: named("*.socket"), read: systemd.Socket},
	{name: "systemd socket drop-in", is: named("*.socket.d/*.conf"), read: systemd.Socket, partOf: "systemd socket"},
	{name: "Podman quadlet", is: isQuadlet("*.container", "*.pod", "*.kube"), read: systemd.Quadlet},
	{name: "Podman quadlet drop-in", is: isQuadlet("*.container.d/*.conf", "*.pod.d/*.conf", "*.kube.d/*.conf"), read: systemd.Quadlet, partOf: "Podman quadlet"},
	{name: "options of a daemon", is: isDefaults, read: command.Defaults, partOf: "systemd service"},
	{name: "ClamAV clamd", is: named("clamd.conf", "clamd.d/*.conf"), read: daemons.Clamd},
	{name: "Cyrus IMAP", is: named("cyrus.conf", "cyrus.conf.j2"), read: daemons.Cyrus},
	{name: "OpenSMTPD", is: named("smtpd.conf"), read: daemons.OpenSMTPD},
	{name: "sendmail.mc", is: named("sendmail.mc", "submit.mc"), read: daemons.SendmailMC},
	{name: "sendmail.cf", is: named("sendmail.cf"), read: daemons.SendmailCF, partOf: "sendmail.mc"},
	{name: "Exim", is: named("exim.conf", "exim4.conf", "update-exim4.conf.conf"), read: daemons.Exim},
	{name: "iptables", is: named("ufw/user.rules", "ufw/user6.rules", "ufw/before.rules", "ufw/before6.rules", "ufw/after.rules", "ufw/after6.rules", "rules.v4", "rules.v6", "sysconfig/iptables", "sysconfig/ip6tables"), read: firewall.Iptables},
	{name: "nftables", is: named("nftables.conf", "*.nft"), read: firewall.Nftables},
	{name: "Exim part", is: named("exim4/conf.d/main/*", "exim4.conf.template", "exim4.conf.localmacros"), read: daemons.EximPart, partOf: "Exim"},
	{name: "Exim options", is: named("default/exim4"), read: daemons.EximOptions, partOf: "Exim"},
	{name: "Courier", is: named("courier/imapd", "courier/imapd-ssl", "courier/pop3d", "courier/pop3d-ssl", "courier/esmtpd", "courier/esmtpd-msa", "courier/esmtpd-ssl"), read: daemons.Courier},
	{name: "Redis", is: named("redis.conf", "redis/*.conf", "valkey.conf"), read: daemons.Redis},
	{name: "memcached", is: named("memcached.conf"), read: daemons.Memcached},
	{name: "MySQL", is: named("my.cnf", "mysql.conf.d/*.cnf", "mariadb.conf.d/*.cnf", "my.cnf.d/*.cnf", "mysql/conf.d/*.cnf"), read: daemons.MySQL},
	{name: "OpenLDAP", is: named("default/slapd"), read: daemons.Slapd},
}, ofSettings()...)

// ofSettings returns the kinds of files of names and values.
func ofSettings() (list []kind) {
	for i := range daemons.Kinds() {
		k := &daemons.Kinds()[i]
		list = append(list, kind{name: k.Name, is: func(name string, _ func() string) bool { return !ofOthers(name) && k.Is(name) }, read: k.Read})
	}
	return list
}

// FixOf returns the id of the fix that binds a listener of a file of names and values, "" if
// there is none.
func FixOf(l *listeners.Listener) string {
	id, _ := daemons.FixOf(l)
	return id
}

// Fixes returns the ids that FixOf can return.
func Fixes() (ids []string) {
	for _, k := range daemons.Kinds() {
		for _, s := range k.Sockets {
			if s.Fix != "" {
				ids = append(ids, s.Fix)
			}
		}
	}
	return ids
}

// Kinds returns the names of the kinds of files; without those of files that others usually
// include, unless parts is set.
func Kinds(parts bool) []string {
	var names []string
	for i := range kinds {
		if kinds[i].partOf != "" && !parts {
			continue
		}
		names = append(names, kinds[i].name)
	}
	return names
}

// kindsOf returns the kinds of a file, of each daemon at most one. The folders in which it
// is count, also those above the tree: haproxy/mail.cfg is the same file in any tree.
func kindsOf(t *source.Tree, name string) []*kind {
	var list []*kind
	text := sync.OnceValue(func() string { return t.Look(name) })
	local := filepath.ToSlash(t.Local(name))
	for i := range kinds {
		k := &kinds[i]
		same := func(o *kind) bool { return o.daemon() == k.daemon() }
		if !slices.ContainsFunc(list, same) && k.is(local, text) {
			list = append(list, k)
		}
	}
	return list
}

// isDockerfile reports whether a file is a Dockerfile, which its name says.
func isDockerfile(name string, _ func() string) bool { return container.IsDockerfile(name, "") }

// isCompose reports whether a file is one of Docker Compose: by its name, which is often
// docker-compose.prod.yml or the like, or because it has services.
func isCompose(name string, text func() string) bool {
	base := path.Base(name)
	switch path.Ext(name) {
	case ".yml", ".yaml":
		if strings.HasPrefix(base, "compose.") || strings.HasPrefix(base, "docker-compose") {
			return true
		}
	case ".json":
	default:
		return false
	}
	return container.IsCompose(text())
}

// isQuadlet returns the test for files of which Podman makes units: .pod is the documentation of
// Perl, too.
func isQuadlet(patterns ...string) func(name string, text func() string) bool {
	return func(name string, text func() string) bool {
		return named(patterns...)(name, text) && systemd.IsQuadlet(text())
	}
}

// isDovecotPart reports whether a file is one that dovecot.conf includes, and says on what
// a service listens.
func isDovecotPart(name string, text func() string) bool {
	// The expression takes long on a file that is not one.
	return strings.Contains(path.Base(name), ".conf") && strings.Contains(text(), "inet_listener") && inetListener.MatchString(text())
}

// inetListener is a section that only Dovecot has.
var inetListener = regexp.MustCompile(`(?m)^[ \t]*inet_listener\b[^{\n]*\{`)

// isDefaults reports whether a file has the options of a daemon that its init script or unit
// reads.
func isDefaults(name string, text func() string) bool {
	return named("default/*", "sysconfig/*", "conf.d/*")(name, text) && command.IsDefaults(name)
}

// isKubernetes reports whether a file has objects of Kubernetes, rendered or not.
func isKubernetes(name string, text func() string) bool {
	ext := path.Ext(name)
	return (ext == ".yml" || ext == ".yaml" || ext == ".json") && container.IsKubernetes(text())
}

// named returns the test of a kind whose files have one of these names. "postfix/x" is
// the name x in a folder postfix; * is any text without a slash.
func named(patterns ...string) func(name string, text func() string) bool {
	return func(name string, _ func() string) bool {
		parts := strings.Split(name, "/")
		for _, p := range patterns {
			n := strings.Count(p, "/") + 1
			if len(parts) < n {
				continue
			}
			if n == 1 && ofOthers(name) {
				continue
			}
			if ok, _ := path.Match(p, path.Join(parts[len(parts)-n:]...)); ok {
				return true
			}
		}
		return false
	}
}

// foldersOfOthers are folders in which the name of a file says whom it is about, and whose
// files are of another program: logrotate.d/dovecot.conf is none of Dovecot.
var foldersOfOthers = []string{
	"action.d", "apparmor.d", "charts.d", "clamd.d", "collectd.d", "cron.d", "default.d", "filter.d", "go.d", "health.d", "init.d", "jail.d", "journald.conf.d",
	"ld.so.conf.d", "limits.d", "local.d", "logrotate.d", "modprobe.d", "modules-load.d", "modules.d", "monit.d", "needrestart.d", "newsyslog.conf.d", "nrpe.d",
	"override.d", "pam.d", "plugin-conf.d", "profile.d", "python.d", "rc.d", "rsyslog.d", "rules.d", "scores.d", "sudoers.d", "sysctl.d", "syslog.d", "syslog-ng.d", "sysusers.d",
	"telegraf.d", "tmpfiles.d", "xinetd.d", "zabbix_agentd.d", "zabbix_agent2.d",
}

// ofOthers reports whether a file is in one of them, or in one of the drop-ins of a unit.
func ofOthers(name string) bool {
	folder := path.Base(path.Dir(name))
	ext := path.Ext(strings.TrimSuffix(folder, ".d"))
	return slices.Contains(foldersOfOthers, folder) ||
		strings.HasSuffix(folder, ".d") && slices.Contains([]string{".service", ".socket", ".container", ".pod", ".kube", ".timer", ".target", ".slice", ".mount", ".path"}, ext)
}
