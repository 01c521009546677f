package result

// A Notice is something the reader must know about the run itself. Its
// code never changes its meaning.
type Notice struct {
	Code    string  `json:"code"`  // "MXS9nnn"
	Level   Level   `json:"level"` // "note", "warning" or "error"
	Message string  `json:"message"`
	Target  string  `json:"target,omitempty" clean:"field"`
	Anchor  *Anchor `json:"anchor,omitempty"`

	// Names are the names in scope of the target, an address, where the policy
	// may accept the notice by one of them.
	Names []string `json:"names,omitempty" clean:"field"`

	// Acceptance covers what the notice is about; nil if nobody has accepted it.
	Acceptance *Acceptance `json:"acceptance,omitempty"`

	// Further is how many entries of the policy the notice stands for, beside one.
	Further int `json:"-"`
}
