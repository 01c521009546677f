package report

// SARIFOptions steer the SARIF format.
type SARIFOptions struct{}
