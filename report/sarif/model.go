package sarif

import (
	"encoding/json"

	"github.com/mxsweep/mxsweep/result"
)

// The elements of SARIF 2.1.0 that are written, with the section of the OASIS
// standard that describes each. They are defined here because the Go library
// writes ids of -1, which GitHub's documentation forbids.

type sarifLog struct { // 3.13
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct { // 3.14
	Tool              sarifTool                    `json:"tool"`
	Taxonomies        []sarifComponent             `json:"taxonomies,omitempty"`
	AutomationDetails sarifAutomation              `json:"automationDetails"`
	Provenance        []sarifRevision              `json:"versionControlProvenance,omitempty"`
	BaseIDs           map[string]sarifArtifactBase `json:"originalUriBaseIds"`
	Invocations       []sarifInvocation            `json:"invocations"`
	Artifacts         []sarifArtifact              `json:"artifacts,omitempty"`
	ColumnKind        string                       `json:"columnKind"`
	RedactionTokens   []string                     `json:"redactionTokens,omitempty"` // 3.14.28
	Results           []json.RawMessage            `json:"results"`
}

type sarifRevision struct { // 3.23
	URI      string    `json:"repositoryUri"`
	Commit   string    `json:"revisionId,omitempty"`
	Branch   string    `json:"branch,omitempty"`
	MappedTo sarifBase `json:"mappedTo"`
}

type sarifBase struct { // 3.4, without a file
	BaseID string `json:"uriBaseId"`
}

type sarifTool struct { // 3.18
	Driver sarifComponent `json:"driver"`
}

type sarifComponent struct { // 3.19
	Name            string           `json:"name"`
	FullName        string           `json:"fullName,omitempty"`
	Organization    string           `json:"organization,omitempty"`
	SemanticVersion string           `json:"semanticVersion,omitempty"`
	Version         string           `json:"version,omitempty"`
	Short           *sarifText       `json:"shortDescription,omitempty"`
	Taxonomies      []sarifToolRef   `json:"supportedTaxonomies,omitempty"`
	Rules           []sarifRule      `json:"rules,omitzero"`
	Notifications   []sarifRule      `json:"notifications,omitempty"`
	Taxa            []sarifRule      `json:"taxa,omitempty"`
	Properties      *sarifComponentP `json:"properties,omitempty"`
}

type sarifComponentP struct {
	RulesVersion  string `json:"rulesVersion,omitempty"`
	ProbesVersion string `json:"probesVersion,omitempty"`
}

type sarifToolRef struct { // 3.54
	Name  string `json:"name"`
	Index int    `json:"index"`
}

type sarifRule struct { // 3.49, also for notifications and taxa
	ID            string          `json:"id"`
	Name          string          `json:"name,omitempty"`
	Short         *sarifText      `json:"shortDescription,omitempty"`
	Full          *sarifText      `json:"fullDescription,omitempty"`
	HelpURI       string          `json:"helpUri,omitempty"`
	Help          *sarifText      `json:"help,omitempty"`
	Default       *sarifDefault   `json:"defaultConfiguration,omitempty"`
	Relationships []sarifRelation `json:"relationships,omitempty"`
	Properties    *sarifRuleProps `json:"properties,omitempty"`
}

type sarifDefault struct { // 3.50
	Level string `json:"level"`
}

type sarifRelation struct { // 3.53
	Target sarifTaxonRef `json:"target"`
	Kinds  []string      `json:"kinds"`
}

type sarifTaxonRef struct { // 3.52
	ID        string       `json:"id"`
	Index     int          `json:"index"`
	Component sarifToolRef `json:"toolComponent"`
}

type sarifRuleProps struct {
	Tags      []string `json:"tags"`
	Precision string   `json:"precision,omitempty"`
	Severity  string   `json:"security-severity,omitempty"`
}

type sarifText struct { // 3.11, 3.12
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifAutomation struct { // 3.17
	ID          string     `json:"id"`
	GUID        string     `json:"guid"`
	Description *sarifText `json:"description,omitempty"`
}

type sarifArtifactBase struct { // 3.4
	Description sarifText `json:"description"`
}

type sarifInvocation struct { // 3.20
	Successful      bool                `json:"executionSuccessful"`
	ExitCode        int                 `json:"exitCode"`
	ExitDescription string              `json:"exitCodeDescription,omitempty"`
	Start           result.Time         `json:"startTimeUtc"`
	End             result.Time         `json:"endTimeUtc,omitzero"`
	CommandLine     string              `json:"commandLine,omitempty"`
	Execution       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	Configuration   []sarifNotification `json:"toolConfigurationNotifications,omitempty"`
}

type sarifNotification struct { // 3.58
	Descriptor sarifDescriptorRef `json:"descriptor"`
	Level      string             `json:"level"`
	Message    sarifText          `json:"message"`
	Locations  []sarifLocation    `json:"locations,omitempty"`
}

type sarifDescriptorRef struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
}

type sarifArtifact struct { // 3.24
	Location sarifArtifactLocation `json:"location"`
	Roles    []string              `json:"roles"`
}

type sarifArtifactLocation struct { // 3.4
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId"`
	Index  *int   `json:"index,omitempty"`
}

type sarifLocation struct { // 3.28
	ID       int            `json:"id,omitempty"`
	Message  *sarifText     `json:"message,omitempty"`
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct { // 3.29
	Artifact sarifArtifactLocation `json:"artifactLocation"`
	Region   sarifRegion           `json:"region"`
}

type sarifRegion struct { // 3.30
	StartLine   int        `json:"startLine"`
	StartColumn int        `json:"startColumn,omitempty"`
	EndLine     int        `json:"endLine,omitempty"`
	EndColumn   int        `json:"endColumn,omitempty"`
	Snippet     *sarifText `json:"snippet,omitempty"`
}

type sarifLogical struct { // 3.33
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifResult struct { // 3.27
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Kind         string             `json:"kind"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Related      []sarifLocation    `json:"relatedLocations,omitempty"`
	Taxa         []sarifTaxonRef    `json:"taxa,omitempty"`
	Fingerprints map[string]string  `json:"fingerprints"`
	Partial      map[string]string  `json:"partialFingerprints"`
	Baseline     string             `json:"baselineState,omitempty"`
	Suppressions []sarifSuppression `json:"suppressions,omitzero"`
	Fixes        []sarifFix         `json:"fixes,omitempty"`
	Rank         float64            `json:"rank,omitempty"`
	Count        int                `json:"occurrenceCount,omitempty"`
	Provenance   *sarifProvenance   `json:"provenance,omitempty"`
	Properties   sarifResultProps   `json:"properties"`
}

type sarifFix struct { // 3.55
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct { // 3.56
	Artifact     sarifArtifactLocation `json:"artifactLocation"`
	Replacements []sarifReplacement    `json:"replacements"`
}

type sarifReplacement struct { // 3.57
	Deleted  sarifRegion `json:"deletedRegion"`
	Inserted sarifText   `json:"insertedContent"`
}

type sarifSuppression struct { // 3.35
	Kind          string            `json:"kind"`
	Status        string            `json:"status"`
	Justification string            `json:"justification,omitempty"`
	Location      *sarifLocation    `json:"location,omitempty"`
	Properties    map[string]string `json:"properties,omitempty"`
}

type sarifProvenance struct { // 3.48
	First result.Time `json:"firstDetectionTimeUtc,omitzero"`
	Last  result.Time `json:"lastDetectionTimeUtc,omitzero"`
}

type sarifResultProps struct {
	Tags    []string     `json:"tags,omitempty"`
	Mxsweep sarifMxsweep `json:"mxsweep"`
}

// sarifMxsweep has members of mxsweep's own, for tools that know them.
type sarifMxsweep struct {
	IP           string   `json:"ip,omitempty"`
	Host         string   `json:"host,omitempty"`
	NamedBy      []string `json:"namedBy,omitempty"` // paths from the domains of the run to the host
	Port         uint16   `json:"port,omitempty"`
	Protocol     string   `json:"protocol,omitempty"`
	State        string   `json:"state,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	Service      string   `json:"service,omitempty"`
	Product      string   `json:"product,omitempty"`
	Version      string   `json:"version,omitempty"`
	Role         string   `json:"role,omitempty"`
	Inconclusive string   `json:"inconclusive,omitempty"`
	Severity     string   `json:"severity"`
	Confidence   int      `json:"confidence,omitempty"`
	Drift        string   `json:"drift,omitempty"`
	Vantage      string   `json:"vantage"`
	Evidence     []string `json:"evidence,omitempty"`
	Remediation  string   `json:"remediation,omitempty"`
	Places       []string `json:"places,omitempty"` // of a rolled-up result, at most 100
}
