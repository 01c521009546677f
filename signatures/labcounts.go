package signatures

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
)

//go:embed probes-lab.json
var labCounts []byte

// A LabCount says how often a probe was asked in the laboratory of internal/lab, in
// open ports.
type LabCount struct {
	Asked   int `json:"asked"`
	Decided int `json:"decided"` // at which its reply is part of what identified the daemon
}

// LabCounts are the counts of one scan of the laboratory. "make probe-counts" writes them.
type LabCounts struct {
	Ports  int                 `json:"ports"`  // that were open
	Probes map[string]LabCount `json:"probes"` // by id
}

// Lab returns the counts that are built in.
func Lab() (LabCounts, error) {
	var c LabCounts
	if err := json.Unmarshal(labCounts, &c); err != nil {
		return LabCounts{}, fmt.Errorf("reading the built-in probe counts: %w", jsonfault.Plain(err))
	}
	return c, nil
}
