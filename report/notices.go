package report

// The codes of the notices, as the schema numbers them. A code never changes
// its meaning.
const (
	NoticeUnreachable   = "MXS9001" // a target in scope answered on no port
	NoticeRiskExpired   = "MXS9002" // an accepted risk is past its day
	NoticeRiskUnused    = "MXS9003" // an accepted risk covers nothing
	NoticeRiskExpiring  = "MXS9004" // an accepted risk ends soon
	NoticeUnresolved    = "MXS9005" // a name did not resolve
	NoticeCoverage      = "MXS9006" // coverage is below the floor
	NoticeCanary        = "MXS9007" // a canary did not answer
	NoticeCutShort      = "MXS9008" // the run is cut short
	NoticeLeftOut       = "MXS9009" // a format holds less than the run
	NoticeNotComparable = "MXS9010" // the baseline is of other ports, scope or vantage
	NoticeWildcard      = "MXS9011" // a host answers on every port
	NoticeLocal         = "MXS9012" // this machine could not ask
	NoticeOutput        = "MXS9013" // an output could not be written
	NoticeEmptyScope    = "MXS9014" // nothing was in scope
	NoticeEngine        = "MXS9015" // what the engine chose or measured
	NoticePolicy        = "MXS9016" // a line of the policy has no effect
)
