package report

type (
	// Tool names the program that made a run.
	Tool struct{}
	// Run says what was scanned, when and from where.
	Run struct{}
	// Port is one address and port, as written.
	Port struct{}
	// Finding is one broken rule, as written.
	Finding struct{}
	// Notice is something the reader must know about the run itself.
	Notice struct{}
	// Summary closes a run.
	Summary struct{}
)
