package result

// A Notice is a message about the run itself. The meaning of its code never
// changes.
type Notice struct {
	Code    string  `json:"code"`  // "MXS9nnn"
	Level   Level   `json:"level"` // "note", "warning" or "error"
	Message string  `json:"message"`
	Target  string  `json:"target,omitempty" clean:"field"`
	Anchor  *Anchor `json:"anchor,omitempty"`

	// Names are the names in scope of the target, if that is an address; an entry
	// of the policy that accepts the notice may use one of them.
	Names []string `json:"names,omitempty" clean:"field"`

	// Acceptance covers the notice; nil if it is not accepted.
	Acceptance *Acceptance `json:"acceptance,omitempty"`

	// Further is the number of additional policy entries that the notice is
	// about.
	Further int `json:"-"`
}
