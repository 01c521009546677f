package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// The codes of notices.
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
	NoticeCrowded           = "MXS9022"
	NoticeResumed           = "MXS9023"
	NoticeShutOut           = "MXS9024"
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
)

// A NoticeKind describes all notices of one code, for reports and manuals.
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
		"No packet of its own arrived, also none from the reference ports, so its silence may be that of a firewall near the scanner. Findings known from the baseline are kept as unverified, never as fixed.",
		"Check routing and firewall rules from the vantage point; if the host drops all that is asked, name a port of it that answers with --canary HOST:PORT."},
	{NoticeAcceptanceExpired, "AcceptedRiskExpired", result.LevelWarning, "An accepted-risk entry has passed its expiry date.",
		"The entry no longer suppresses anything.",
		"Renew it in the policy file with a fresh reason, or remove the exposure."},
	{NoticeUnresolved, "NameNotResolved", result.LevelError, "A name in scope did not resolve.",
		"Its addresses are not known, or not all of them, so the run cannot pass.",
		"Fix the name or the resolver, or take the name out of the scope."},
	{NoticeCoverage, "CoverageBelowFloor", result.LevelError, "Too few of the planned ports gave a conclusive result.",
		"A run that saw too little cannot say that all is well. Silent addresses of a range count, unless a canary on another machine that answers shows that nothing is there.",
		"The other notices name what was not seen and why; --min-coverage sets the floor."},
	{NoticeCanary, "CanarySilent", result.LevelError, "A canary gave no answer.",
		"A service that must answer did not, so the vantage point or the network is not what it should be; or it was not asked, and nothing shows that they are.",
		"Check the route from the vantage point to the canary, and whether something there blocks the scanner; or name another canary."},
	{NoticeNothingInScope, "NothingInScope", result.LevelError, "Nothing was in scope.",
		"No address and port was left to look at.",
		"Give targets or a scope file, and check the excludes and the ports."},
	{NoticeAborted, "RunAborted", result.LevelError, "The run was aborted.",
		"What was found until then is in the report; the rest was not looked at.",
		"Fix the cause and run again."},
	{NoticeOutput, "OutputFailed", result.LevelError, "A report could not be written.",
		"The other reports are whole.",
		"Check the path, the rights and the space on the disk, and convert the saved run."},
	{NoticeBaseline, "BaselineNotComparable", result.LevelWarning, "The baseline was taken under other conditions.",
		"Only the ports, addresses and vantage point that both share were compared; the rest of the baseline is unverified.",
		"Sweep with the scope, the ports and the vantage of the baseline. Names that resolve to other addresses do no harm: findings follow them, unless the policy says identity: address. Where they were meant to change, look at what is new before mxsweep baseline update takes it in; what this run did not look at stays."},
	{NoticeUnverified, "FindingUnverified", result.LevelWarning, "A finding of the baseline could not be looked at again.",
		"It is carried forward; it is neither fixed nor a pass.",
		"Sweep its port again from the same vantage, make the host reachable if it is silent, or prune the baseline if the host is gone for good."},
	{NoticeAcceptanceSoon, "AcceptedRiskExpiresSoon", result.LevelNote, "An accepted-risk entry expires soon.",
		"When it expires, its findings count again.",
		"Remove the exposure, or renew the entry with a fresh reason."},
	{NoticeAcceptanceUnused, "AcceptedRiskUnused", result.LevelNote, "An accepted-risk entry covers nothing.",
		"No finding of this run needs it.",
		"Take the entry out of the policy file."},
	{NoticeSignal, "RunStopped", result.LevelWarning, "The run was stopped by a signal.",
		"What was found until then is in the report; the rest was not looked at.",
		"Run the same command again."},
	{NoticeLocalFailure, "LocalFailure", result.LevelWarning, "This machine ran out of files, ports or memory.",
		"The ports concerned are unknown, or open without a name for what answers.",
		"Raise the limits of this machine (ulimit -n), or lower --concurrency and --rate."},
	{NoticeNothingSeen, "NothingSeen", result.LevelError, "No target answered at all.",
		"A run that saw nothing says nothing about the targets.",
		"Check the network of the vantage point, and name a service that must answer with --canary HOST:PORT; one of the target itself, where that drops all that is asked."},
	{NoticeConfidence, "ConfidenceBelowFloor", result.LevelNote, "A finding is less certain than the gate demands.",
		"It is reported and does not fail the run.",
		"Look at the port, or lower min_confidence in the policy file."},
	{NoticeExpectedMissing, "ExpectedServiceMissing", result.LevelNote, "An entry under expect covers no finding, or one under must_be_closed nothing that was asked.",
		"The expected service was not seen, or is nothing that this run would have told of. Of a port that must be closed and was not asked, the run says nothing.",
		"Check the service, or the spelling of host and port. Where the service is fine, the entry only says what may be seen there, and can be left out; a port that must be closed belongs to those of the sweep."},
	{NoticeEngine, "EngineReport", result.LevelNote, "The engine chose or measured something.",
		"It says how the ports were asked and how far the silence of a port can be trusted.",
		"The flags --mode, --rate and --retries steer the engine."},
	{NoticeWildcard, "WildcardHost", result.LevelWarning, "A host responds on every port.",
		"A firewall, a proxy or a redirect answers for all ports, so that no reply says what is behind any one of them. The ports are unknown.",
		"Sweep from a place that reaches the host itself, name the ports that matter one by one with --ports, or accept this notice for the host in the policy file."},
	{NoticeExcluded, "TargetExcluded", result.LevelNote, "The excludes leave nothing of a target.",
		"It was asked for and not looked at.",
		"Take it out of the targets, or out of the excludes."},
	{NoticeCrowded, "UnresponsiveHost", result.LevelWarning, "A host accepts connections and replies on hardly any port, or has too many ports to talk to.",
		"A SYN proxy, a tarpit or a honeypot accepts for ports behind which nothing answers. The ports are unknown.",
		"Sweep from a place that reaches the host itself, name the ports that matter one by one with --ports, or accept this notice for the host in the policy file."},
	{NoticeResumed, "RunResumed", result.LevelNote, "The run went on from an earlier one.",
		"The ports that it was done with were not asked again; the report tells what was seen then.",
		"Where that is too old, delete the file that --resume names and run again."},
	{NoticeShutOut, "ShutOut", result.LevelError, "The targets stopped answering in the middle of the run.",
		"A device on the way shuts the scanner out, or the network failed. What was asked since then is unknown and may be open, so the run cannot pass.",
		"Have the scanner let through, or sweep again later, slower, with --rate."},
	{NoticeUnknownPort, "PortUnknown", result.LevelWarning, "Ports gave no conclusive result.",
		"They may be exposed or not. They count against the coverage.",
		"Run again; where it stays so, look at the port on the host itself."},
	{NoticeHostTimeout, "HostTimeout", result.LevelWarning, "The time that --host-timeout gives a host was over before all of it was settled.",
		"What was not asked, proven or talked to by then is unknown and counts against the coverage.",
		"Give hosts more time with a larger --host-timeout; where all hosts are short of it, sweep fewer at once (--shard, fewer targets or ports) or faster (--rate)."},
	{NoticeNothingOpen, "NothingOpen", result.LevelNote, "A pass rests on no assessed open port and no canary.",
		"Closed, filtered and mute ports look the same where a firewall near the scanner answers or drops for all of them.",
		"Name a service that must answer with --canary HOST:PORT."},
	{NoticeReferencePort, "ShownByReferencePort", result.LevelNote, "A target is up, and silent on all ports that were asked.",
		"A port that was asked for this alone answered after them, so their silence is a filter's.",
		"--reference-ports sets the ports that are asked for this (none: no port); a canary of the target serves as well."},
	{NoticeFewHosts, "HostsMissing", result.LevelError, "Fewer hosts are up than there must be.",
		"Where no host of a range answers, nothing shows that the scanner can reach it.",
		"Check the route to the range, or take it out of the scope. Where it may be empty, say hosts: 0 under targets in the policy file, or --allow-vacant; where nothing else is up, also name a --canary HOST:PORT."},
	{NoticeTimeUp, "TimeUp", result.LevelError, "The run was ended by --max-time.",
		"What was found until then is in the report; the rest was not looked at.",
		"Run the same command again with a larger --max-time, or sweep less at once: fewer targets or ports, or --shard."},
	{NoticeExpired, "AuthorizationEnded", result.LevelError, "The authorization ended during the run.",
		"No probe, connection or payload left after that moment, and open connections were reset. The rest was not looked at, so the run cannot pass.",
		"Have authorization.not_after in the policy file renewed, and run the same command again."},
	{NoticeAuditRepaired, "AuditLogRepaired", result.LevelWarning, "The end of the audit log was repaired.",
		"An earlier run was killed while it wrote its last line. What was cut off, or completed, is noted in the next line.",
		"Look into how that run ended; its report is not complete either."},
	{NoticeRequired, "RequiredPortUnknown", result.LevelError, "A port that must have a conclusive result has none.",
		"It belongs to a target of its own, has a finding in the baseline, or is named by expect or must_be_closed, so that the run cannot pass whatever the floor of coverage is.",
		"The other notices say why each of them is unknown."},
	{NoticeNoRoute, "NoRoute", result.LevelWarning, "There is no route to some of the targets.",
		"Nothing was sent to them. Where they are too many, or the run cannot pass without one of them, it is incomplete; this notice is an error then, and the only one about them.",
		"Set up a route, or leave these targets out."},
	{NoticeTurnedAway, "ScannerTurnedAway", result.LevelWarning, "A port refuses this scanner for good.",
		"That is a result, and holds for this scanner: its address is on a list, or not on one. What the port offers to other clients was not assessed.",
		"Let the scanner's address in, or sweep from a place that the port serves, if what it offers matters."},
	{NoticeNotRepeated, "DialogueNotRepeated", result.LevelWarning, "Ports that said little were not talked to once more.",
		"Their hosts, or this machine, were too busy to answer in time, and there are too many such ports. What they are may be named less surely, or not at all.",
		"Run again with fewer targets at once (--shard), or slower (--rate, --per-host)."},
	{NoticeWideAcceptance, "AcceptedRiskWide", result.LevelWarning, "An accepted-risk entry covers more than 65,536 hosts.",
		"What is found there later is accepted before anybody has seen it.",
		"Name the hosts that the decision was about."},
	{NoticeOwnAddress, "OwnAddress", result.LevelNote, "An address of the scanning machine was swept.",
		"What a machine hears of itself passes no firewall, so that its ports can be reached from outside is assumed and not seen.",
		"Sweep it from elsewhere with --all-ports, under a vantage point of another name, and merge the runs; or judge it as the host itself with --vantage host."},
	{NoticeShardMissing, "ShardMissing", result.LevelError, "A shard of a merged sweep is missing.",
		"Nothing is known of its addresses, so the merged run cannot pass.",
		"Run the missing shard and merge all of them."},
	{NoticeRunsDiffer, "RunsDiffer", result.LevelWarning, "Merged runs were made in different ways.",
		"Each pair was judged as its own run judged it.",
		"Make the runs with the same version and the same ports where they are to be one."},
	{NoticePartIncomplete, "PartIncomplete", result.LevelError, "A merged run is not complete.",
		"What it did not see, the merged run did not see either.",
		"Run that part again, and merge the new run in its place."},
	{NoticeExcludedName, "ExcludedByName", result.LevelNote, "Hosts are excluded by name.",
		"The addresses that the name had when the run began were not contacted. A name whose addresses change may have others, which cannot be known and are not excluded.",
		"Exclude the addresses or their prefix where that matters."},
	{NoticeEmptyShard, "EmptyShard", result.LevelNote, "The shard holds no host.",
		"A host is in one shard as a whole, and there are fewer hosts than shards, or one of them has most of the ports. The other shards hold them all.",
		"Use fewer shards."},
	{NoticeUnusableAddress, "UnusableAddress", result.LevelWarning, "A name has addresses that cannot be asked.",
		"They were not contacted: this host (0.0.0.0), multicast and broadcast are no single host, a link-local address does not tell its link, and an IPv4-mapped address (::ffff:192.0.2.1) does not belong in an AAAA record. The other addresses of the name were swept.",
		"Correct the records of the name; name a link-local address with its zone (fe80::1%eth0) to sweep it."},
	{NoticeBlocked, "HostBlocked", result.LevelWarning, "A host stopped answering during the run, on a port too that it had answered on, or another device began to refuse all for it.",
		"A firewall may have had enough of the scanner, or the host or the path to it went away. What was asked since the last answer may be open and counts as unknown. So does what was refused once resets came with another TTL for good, which tells of a device that answers in the place of the host.",
		"Have the scanner's address let through, or sweep the host again later, slower, with --rate and --per-host."},
	{NoticeRejected, "RejectedOnTheWay", result.LevelNote, "A router or firewall on the way answered for ports of hosts behind it.",
		"Such a message tells what the way lets through for this scanner. It does not show that the host is up, nor what others can reach.",
		"Sweep from a place that is let through, if the ports behind it matter."},
}

// NoticeKinds lists all kinds of notices in the order of their codes.
func NoticeKinds() []NoticeKind { return slices.Clone(noticeKinds) }

// NoticeKindOf finds the kind of a code; the zero NoticeKind if there is none.
func NoticeKindOf(code string) NoticeKind {
	for _, k := range noticeKinds {
		if k.Code == code {
			return k
		}
	}
	return NoticeKind{Code: code, Level: result.LevelNote}
}

// NewNotice makes a notice of the kind with the given code. The message gets
// what to do about it added.
func NewNotice(code, target string, anchor *result.Anchor, format string, args ...any) result.Notice {
	k := NoticeKindOf(code)
	message := fmt.Sprintf(format, args...)
	if k.Help != "" {
		message += " " + k.Help
	}
	return result.Notice{Code: code, Level: k.Level, Message: message, Target: target, Anchor: anchor}
}

// AcceptNotice gives a notice as it is told where the acceptance covers it: as a
// note that says until when. A nil acceptance covers nothing.
func AcceptNotice(n result.Notice, a *result.Acceptance) result.Notice {
	if a == nil {
		return n
	}
	n.Level, n.Acceptance = result.LevelNote, a
	n.Message += acceptedSentence(a)
	return n
}

// acceptedSentence says what is accepted until when, and by whom.
func acceptedSentence(a *result.Acceptance) string {
	return fmt.Sprintf(" Accepted by %s until %s (%s): %s.", a.Owner, a.Expires, a.ID, a.Reason)
}

// UnacceptNotice gives a notice as it was before AcceptNotice.
func UnacceptNotice(n result.Notice) result.Notice {
	if n.Acceptance == nil {
		return n
	}
	n.Message = strings.TrimSuffix(n.Message, acceptedSentence(n.Acceptance))
	n.Level, n.Acceptance = NoticeKindOf(n.Code).Level, nil
	return n
}
