package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// The notice codes.
const (
	NoticeSilent            = "MXS9001"
	NoticeAcceptanceExpired = "MXS9002"
	NoticeUnresolved        = "MXS9003"
	NoticeCoverage          = "MXS9004"
	NoticeCanary            = "MXS9005"
	NoticeNothingInScope    = "MXS9006"
	NoticeAborted           = "MXS9007"
	NoticeOutput            = "MXS9008"
	NoticeBaseline          = "MXS9010"
	NoticeUnverified        = "MXS9011"
	NoticeAcceptanceSoon    = "MXS9012"
	NoticeAcceptanceUnused  = "MXS9013"
	NoticeSignal            = "MXS9014"
	NoticeLocalFailure      = "MXS9015"
	NoticeNothingSeen       = "MXS9016"
	NoticeConfidence        = "MXS9017"
	NoticeExpectedMissing   = "MXS9018"
	NoticeEngine            = "MXS9019"
	NoticeWildcard          = "MXS9020"
	NoticeExcluded          = "MXS9021"
	NoticeUnresponsiveHost  = "MXS9022"
	NoticeResumed           = "MXS9023"
	NoticeAllBlocked        = "MXS9024"
	NoticeUnknownPort       = "MXS9025"
	NoticeHostTimeout       = "MXS9026"
	NoticeNothingOpen       = "MXS9027"
	NoticeReferencePort     = "MXS9028"
	NoticeFewHosts          = "MXS9029"
	NoticeTimeUp            = "MXS9031"
	NoticeExpired           = "MXS9032"
	NoticeAuditRepaired     = "MXS9033"
	NoticeRequired          = "MXS9034"
	NoticeNoRoute           = "MXS9036"
	NoticeTurnedAway        = "MXS9037"
	NoticeNotRepeated       = "MXS9038"
	NoticeWideAcceptance    = "MXS9041"
	NoticeOwnAddress        = "MXS9042"
	NoticeShardMissing      = "MXS9043"
	NoticeRunsDiffer        = "MXS9044"
	NoticePartIncomplete    = "MXS9045"
	NoticeExcludedName      = "MXS9051"
	NoticeEmptyShard        = "MXS9052"
	NoticeUnusableAddress   = "MXS9053"
	NoticeBlocked           = "MXS9061"
	NoticeRejected          = "MXS9062"
	NoticeUndecided         = "MXS9071"
	NoticeNoConfiguration   = "MXS9072"
	NoticeUnseen            = "MXS9073"
	NoticeElsewhere         = "MXS9074"
	NoticeWhichHost         = "MXS9075"
	NoticeDomainIncomplete  = "MXS9081"
	NoticeAskFor            = "MXS9082"
	NoticeRecords           = "MXS9083"
)

// A NoticeKind describes all notices with one code, for reports and manuals.
type NoticeKind struct {
	Code  string
	Name  string // PascalCase, for SARIF
	Level result.Level
	Title string // one sentence
	Why   string // what it means for the run
	Help  string // what to do
}

var noticeKinds = []NoticeKind{
	{NoticeSilent, "TargetUnreachable", result.LevelError, "A target gave no answer on any port.",
		"It sent no packet, not even from the reference ports, so a firewall near the scanner may be the cause. Findings in the baseline stay unverified; they do not count as fixed.",
		"Check routing and firewall rules from the vantage point. If the host drops all these probes, give one of its ports that answers with --canary HOST:PORT."},
	{NoticeAcceptanceExpired, "AcceptedRiskExpired", result.LevelWarning, "An accepted-risk entry has passed its expiry date.",
		"The entry no longer has any effect.",
		"Renew it in the policy file with an up-to-date reason, or remove the exposure."},
	{NoticeUnresolved, "NameNotResolved", result.LevelError, "A name in scope did not resolve.",
		"Some or all of its addresses are unknown, so the run cannot pass.",
		"Fix the name or the resolver, or remove the name from the scope."},
	{NoticeCoverage, "CoverageBelowFloor", result.LevelError, "Too few of the planned ports gave a conclusive result.",
		"Without enough coverage a run cannot pass. Silent addresses of a range count as unknown, unless a canary that answers on another machine shows that they are vacant.",
		"The other notices say which ports are unknown and why; --min-coverage sets the minimum."},
	{NoticeCanary, "CanarySilent", result.LevelError, "A canary did not answer as expected.",
		"A service that must answer did not answer, was not probed, or is another service than expected. So nothing shows that the vantage point and the network work.",
		"Check the route from the vantage point to the canary, and whether a device on the path blocks the scanner; or use another canary."},
	{NoticeNothingInScope, "NothingInScope", result.LevelError, "Nothing was in scope.",
		"No pair of address and port was left to scan.",
		"List what may be scanned, as targets or in the scope file, and check the excludes and the ports."},
	{NoticeAborted, "RunAborted", result.LevelError, "The run was aborted.",
		"The report contains the results up to that moment; the rest was not scanned.",
		"Fix the cause and run again."},
	{NoticeOutput, "OutputFailed", result.LevelError, "A report could not be written.",
		"The other reports are complete.",
		"Check the path, the permissions and the disk space, and convert the saved run."},
	{NoticeBaseline, "BaselineNotComparable", result.LevelWarning, "The baseline was made under different conditions.",
		"Only the ports, addresses and vantage point that both have in common were compared; the rest of the baseline is unverified.",
		"Scan with the scope, the ports and the vantage point of the baseline. Names that now resolve to other addresses do not matter: findings follow the name, unless the policy sets identity: address. If the change is intended, review the new findings before you run mxsweep baseline update; entries that this run did not cover are kept."},
	{NoticeUnverified, "FindingUnverified", result.LevelWarning, "A finding in the baseline could not be verified.",
		"It is carried forward: it does not count as fixed, and the run cannot pass.",
		"Scan its port again from the same vantage point, make the host reachable if it is silent, or prune the baseline if the host was decommissioned; a finding of a file needs that file among the paths."},
	{NoticeAcceptanceSoon, "AcceptedRiskExpiresSoon", result.LevelNote, "An accepted-risk entry expires soon.",
		"When it expires, its findings count again.",
		"Remove the exposure, or renew the entry with an up-to-date reason."},
	{NoticeAcceptanceUnused, "AcceptedRiskUnused", result.LevelNote, "An accepted-risk entry covers nothing.",
		"No finding of this run needs it.",
		"Remove the entry from the policy file."},
	{NoticeSignal, "RunStopped", result.LevelWarning, "The run was stopped by a signal.",
		"The report contains the results up to that moment; the rest was not scanned.",
		"Run the same command again."},
	{NoticeLocalFailure, "LocalFailure", result.LevelWarning, "This machine ran out of open files, ports or memory.",
		"The affected ports are unknown, or open with an unidentified service.",
		"Raise the limits of this machine (ulimit -n), or lower --concurrency and --rate."},
	{NoticeNothingSeen, "NothingSeen", result.LevelError, "No target answered at all.",
		"A run without any answer shows nothing about the targets.",
		"Check the network of the vantage point, and name a service that must answer with --canary HOST:PORT: one on the target itself if the target drops all probes."},
	{NoticeConfidence, "ConfidenceBelowFloor", result.LevelNote, "The confidence of a finding is below the minimum of the gate.",
		"It is reported and does not fail the run.",
		"Check the port, or lower min_confidence in the policy file."},
	{NoticeExpectedMissing, "ExpectedServiceMissing", result.LevelNote, "An entry under expect covers no finding, or one under must_be_closed covers no port of this run.",
		"The expected service did not answer, or has no finding in this run. The run shows nothing about a port that must be closed but was not probed.",
		"Check the service, and the spelling of host and port. If the service is fine, the entry has no effect and can be removed. Add a port that must be closed to the scanned ports."},
	{NoticeEngine, "EngineReport", result.LevelNote, "The scan engine reports a choice or a measurement.",
		"It shows how the ports were probed, and how reliable the state of a silent port is.",
		"The flags --mode, --rate and --retries control the engine."},
	{NoticeWildcard, "WildcardHost", result.LevelWarning, "A host responds on every port.",
		"A firewall, a proxy or a redirect answers for all ports, so no reply shows what is behind a particular port. The ports are unknown.",
		"Scan from a place that reaches the host itself, list the ports that matter individually with --ports, or accept this notice for the host in the policy file."},
	{NoticeExcluded, "TargetExcluded", result.LevelNote, "The excludes cover a whole target.",
		"It was requested but not scanned.",
		"Remove it from the targets or from the excludes."},
	{NoticeUnresponsiveHost, "UnresponsiveHost", result.LevelWarning, "A host accepts connections but replies on hardly any port, or has too many open ports to identify.",
		"A SYN proxy, a tarpit or a honeypot accepts connections on ports without a service behind them. The ports are unknown.",
		"Scan from a place that reaches the host itself, list the ports that matter individually with --ports, or accept this notice for the host in the policy file."},
	{NoticeResumed, "RunResumed", result.LevelNote, "The run resumed an earlier one.",
		"Ports that the earlier run had finished were not probed again; the report contains its results.",
		"If those results are too old, delete the file given to --resume and run again."},
	{NoticeAllBlocked, "ShutOut", result.LevelError, "The targets stopped answering during the run.",
		"A device on the path blocks the scanner, or the network failed. Ports probed since then are unknown and may be open, so the run cannot pass.",
		"Allow the scanner on that device, or scan again later, more slowly, with --rate."},
	{NoticeUnknownPort, "PortUnknown", result.LevelWarning, "Ports gave no conclusive result.",
		"They may be exposed. They count against the coverage.",
		"Run again; if the result is the same, check the port on the host itself."},
	{NoticeHostTimeout, "HostTimeout", result.LevelWarning, "The time limit of --host-timeout was reached before a host was finished.",
		"Ports that were not probed, proven or identified by then are unknown and count against the coverage.",
		"Use a larger --host-timeout; if all hosts are affected, scan fewer at once (--shard, fewer targets or ports) or faster (--rate)."},
	{NoticeNothingOpen, "NothingOpen", result.LevelNote, "A pass is based on no assessed open port and no canary.",
		"If a firewall near the scanner answers or drops all probes, every port looks closed or filtered.",
		"Name a service that must answer with --canary HOST:PORT."},
	{NoticeReferencePort, "ShownByReferencePort", result.LevelNote, "A target is up but silent on all requested ports.",
		"A reference port, probed only for this purpose, answered afterwards, so the silent ports are filtered.",
		"--reference-ports sets these ports (none: no port); a canary on the target has the same effect."},
	{NoticeFewHosts, "HostsMissing", result.LevelError, "Fewer hosts are up than required.",
		"If no host of a range answers, nothing shows that the scanner can reach the range.",
		"Check the route to the range, or remove it from the scope. If it may be empty, set hosts: 0 under targets in the policy file, or use --allow-vacant; if no other host is up, also give a --canary HOST:PORT."},
	{NoticeTimeUp, "TimeUp", result.LevelError, "The run was stopped by --max-time.",
		"The report contains the results up to that moment; the rest was not scanned.",
		"Run the same command again with a larger --max-time, or scan less at once: fewer targets or ports, or --shard."},
	{NoticeExpired, "AuthorizationEnded", result.LevelError, "The authorization expired during the run.",
		"Nothing was sent after that moment, and open connections were reset. The rest was not scanned, so the run cannot pass.",
		"Renew the authorization (authorization.not_after in the policy file), and run the same command again."},
	{NoticeAuditRepaired, "AuditLogRepaired", result.LevelWarning, "The end of the audit log was repaired.",
		"An earlier run was killed while it wrote its last line. The next line records what was removed or completed.",
		"Find out how that run ended; its report is incomplete too."},
	{NoticeRequired, "RequiredPortUnknown", result.LevelError, "A port that must have a conclusive result has none.",
		"It belongs to a single target, has a finding in the baseline, or is named by expect or must_be_closed, so the run cannot pass whatever the minimum coverage is.",
		"The other notices say why each of them is unknown."},
	{NoticeNoRoute, "NoRoute", result.LevelWarning, "There is no route to some of the targets.",
		"Nothing was sent to them. If there are too many of them, or the run cannot pass without one of them, the run is incomplete; this notice is then an error, and the only one about them.",
		"Set up a route, or remove these targets."},
	{NoticeTurnedAway, "ScannerTurnedAway", result.LevelWarning, "A port refuses this scanner permanently.",
		"This is a conclusive result, but only for this scanner: its address is on a block list, or missing from an allow list. What the port offers to other clients was not assessed.",
		"To assess the service, allow the scanner's address, or scan from an address that the port serves."},
	{NoticeNotRepeated, "DialogueNotRepeated", result.LevelWarning, "Ports with an incomplete dialogue were not tried again.",
		"Their hosts, or this machine, were too busy to answer in time, and there are too many such ports. They may be identified with less confidence, or not at all.",
		"Run again with fewer targets at once (--shard), or more slowly (--rate, --per-host)."},
	{NoticeWideAcceptance, "AcceptedRiskWide", result.LevelWarning, "An accepted-risk entry covers more than 65,536 hosts.",
		"Future findings on these hosts are accepted before anyone has seen them.",
		"List the hosts that the decision was about."},
	{NoticeOwnAddress, "OwnAddress", result.LevelNote, "An address of the scanning machine was scanned.",
		"Traffic of a machine to itself passes no firewall, so it is assumed, not observed, that its ports are reachable from outside.",
		"Scan it from elsewhere with --all-ports, from a vantage point with another name, and merge the runs; or assess it as seen from the host itself with --vantage host."},
	{NoticeShardMissing, "ShardMissing", result.LevelError, "A shard of a merged sweep is missing.",
		"Nothing is known of its addresses, so the merged run cannot pass.",
		"Run the missing shard and merge all of them."},
	{NoticeRunsDiffer, "RunsDiffer", result.LevelWarning, "Merged runs were made with different settings.",
		"Each pair was assessed as in its own run.",
		"Use the same version and the same ports for runs that are to be merged."},
	{NoticePartIncomplete, "PartIncomplete", result.LevelError, "A merged run is incomplete.",
		"What it did not cover, the merged run does not cover either.",
		"Run that part again, and merge the new run in its place."},
	{NoticeExcludedName, "ExcludedByName", result.LevelNote, "Hosts are excluded by name.",
		"The addresses that the name had when the run started were not contacted. If the addresses of the name change, the others are not known and not excluded.",
		"Exclude the addresses or their prefix if that matters."},
	{NoticeEmptyShard, "EmptyShard", result.LevelNote, "The shard contains no host.",
		"A host is always in one shard as a whole, and there are fewer hosts than shards, or one host has most of the ports. The other shards contain all hosts.",
		"Use fewer shards."},
	{NoticeUnusableAddress, "UnusableAddress", result.LevelWarning, "A name has addresses that cannot be scanned.",
		"They were not contacted: unspecified (0.0.0.0), multicast and broadcast addresses are not a single host, a link-local address does not identify its link, and an IPv4-mapped address (::ffff:192.0.2.1) does not belong in an AAAA record. The other addresses of the name were scanned.",
		"Correct the records of the name; give a link-local address with its zone (fe80::1%eth0) to scan it."},
	{NoticeBlocked, "HostBlocked", result.LevelWarning, "A host stopped answering during the run, even on a port that had answered, or another device started to refuse all connections in its place.",
		"A firewall may have blocked the scanner, or the host or the path to it failed. Ports probed since the last answer may be open and count as unknown. So do ports that refused after the TTL of the resets changed permanently, which indicates a device that answers in place of the host.",
		"Allow the scanner's address, or scan the host again later, more slowly, with --rate and --per-host."},
	{NoticeRejected, "RejectedOnTheWay", result.LevelNote, "A router or firewall on the path answered for ports of hosts behind it.",
		"Such a message shows what the path allows for this scanner. It does not show that the host is up, nor what others can reach.",
		"If the ports behind it matter, scan from an address that is allowed."},
	{NoticeUndecided, "ConfigurationUndecided", result.LevelError, "Configuration files do not decide what they open.",
		"A value comes from a variable without a value, from a program, from a file that is missing, or from text that cannot be read. What a daemon opens in that case is not known, so the run cannot pass.",
		"If a file is missing, such as main.cf or .env, add it; if a daemon could not read the text either, correct it. Otherwise look at the machine itself with mxsweep host, and accept the notice in the policy."},
	{NoticeNoConfiguration, "NoConfiguration", result.LevelError, "No configuration file of a known kind was found.",
		"Nothing was read, so the run cannot pass.",
		"Name the files, or the folder that has them; \"mxsweep config --help\" lists the kinds."},
	{NoticeUnseen, "ListenersUnseen", result.LevelError, "mxsweep could not see everything that listens on this machine.",
		"The process of a socket, the sockets of a container or the NAT rules could not be read, a size limit was reached, or a scan has a finding of a daemon that is not known here. If an exposed mail port could be among what was not seen, the run cannot pass; otherwise this is a note.",
		"If mxsweep host did not run as root, run it so, or with the capabilities CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN and CAP_NET_ADMIN; in a container, it needs them and the process IDs of the host. Otherwise accept the notice in the policy."},
	{NoticeElsewhere, "AnsweredElsewhere", result.LevelError, "The scan found a port open on an address of this machine, but here nothing listens on it, or only on loopback.",
		"A proxy, NAT or another host answers in its place, or the daemon was stopped or bound differently after the scan. If the scan has a finding of the port, this run cannot judge it, so it cannot pass; otherwise this is a note.",
		"Find out where the connections go, look at that machine with mxsweep host, and scan again if the daemon has changed since."},
	{NoticeWhichHost, "FilesOfWhichHost", result.LevelError, "Configuration files do not say which of several hosts they describe.",
		"They were not compared with what the scan saw, so the run cannot pass.",
		"Write --config HOST=PATH for the files of each host."},
	{NoticeDomainIncomplete, "DomainIncomplete", result.LevelError, "The DNS did not answer all questions about a domain.",
		"There may be further hosts on which its mail depends, so the run cannot pass.",
		"Check the resolver and the name servers of the domain, and run again."},
	{NoticeAskFor, "HostNotAuthorized", result.LevelNote, "The mail of a domain depends on a host that is not in the scope.",
		"It was not contacted, and nothing is known about it.",
		"Ask whoever runs the host for authorization, and add its addresses to the scope."},
	{NoticeRecords, "RecordsAtFault", result.LevelWarning, "Records of a domain are wrong.",
		"Senders or clients may treat them in different ways, or not at all.",
		"Correct the record; \"mxsweep domain NAME\" shows all of them."},
}

// NoticeKinds returns all kinds of notices in the order of their codes.
func NoticeKinds() []NoticeKind { return slices.Clone(noticeKinds) }

// NoticeKindOf returns the kind with a code; the zero NoticeKind if there is
// none.
func NoticeKindOf(code string) NoticeKind {
	for _, k := range noticeKinds {
		if k.Code == code {
			return k
		}
	}
	return NoticeKind{Code: code, Level: result.LevelNote}
}

// NewNotice returns a notice of the kind with the given code. The kind's help is
// appended to the message.
func NewNotice(code, target string, anchor *result.Anchor, format string, args ...any) result.Notice {
	k := NoticeKindOf(code)
	message := fmt.Sprintf(format, args...)
	if k.Help != "" {
		message += " " + k.Help
	}
	return result.Notice{Code: code, Level: k.Level, Message: message, Target: target, Anchor: anchor}
}

// WithHelp returns a notice with another help than that of its kind.
func WithHelp(n result.Notice, help string) result.Notice {
	n.Message = strings.TrimSuffix(n.Message, NoticeKindOf(n.Code).Help) + help
	return n
}

// AcceptNotice returns a notice as reported if the acceptance covers it: as a
// note with the end of the acceptance. With a nil acceptance it returns the
// notice unchanged.
func AcceptNotice(n result.Notice, a *result.Acceptance) result.Notice {
	if a == nil {
		return n
	}
	n.Level, n.Acceptance = result.LevelNote, a
	n.Message += acceptedSentence(a)
	return n
}

// acceptedSentence says who accepted it until when.
func acceptedSentence(a *result.Acceptance) string {
	return fmt.Sprintf(" Accepted by %s until %s (%s): %s.", a.Owner, a.Expires, a.ID, a.Reason)
}

// UnacceptNotice undoes AcceptNotice.
func UnacceptNotice(n result.Notice) result.Notice {
	if n.Acceptance == nil {
		return n
	}
	n.Message = strings.TrimSuffix(n.Message, acceptedSentence(n.Acceptance))
	n.Level, n.Acceptance = NoticeKindOf(n.Code).Level, nil
	return n
}
