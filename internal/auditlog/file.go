package auditlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
)

// A File is an audit log that is open during a run. The nil File writes nothing.
type File struct {
	file *os.File
	log  Log
	tear *Tear  // what an earlier run left of its last line; nil if nothing
	done string // what was repaired, "" before the first line and if nothing was
}

// Open opens a log for appending and verifies its content, because a broken chain
// must not be continued. The file is locked until it is closed, so that two runs
// do not write the same sequence number; waiting is called once if another run
// holds the lock. Nothing changes before the first line is written. For an empty
// name it returns nil.
func Open(ctx context.Context, name string, waiting func()) (*File, error) {
	if name == "" {
		return nil, nil
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && name != os.DevNull {
		return nil, fault.Usagef("use a regular file", "opening audit log %q: not a regular file", name)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.As(fault.Failed, fmt.Errorf("opening audit log %q: %w", name, fault.WithoutPath(err)))
	}
	if err := lock(ctx, f, waiting); err != nil {
		f.Close()
		return nil, fault.As(fault.Failed, fmt.Errorf("locking audit log %q: %w", name, err))
	}
	tail, tear, err := Read(name, f)
	if err != nil {
		f.Close()
		return nil, fault.As(fault.Usage, err)
	}
	return &File{file: f, log: Log{W: f, Tail: tail}, tear: tear}, nil
}

// lock waits until no other run holds the lock.
func lock(ctx context.Context, f *os.File, waiting func()) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for told := false; ; told = true {
		err := outfile.TryLock(f)
		if !errors.Is(err, outfile.ErrLocked) {
			return ignoreUnsupported(err)
		}
		if !told {
			waiting()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ignoreUnsupported discards the error of a system or file system without locks:
// there the user must make sure that only one run at a time writes to a log.
func ignoreUnsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// Close unlocks and closes the log. If the run wrote nothing, the file is
// unchanged.
func (f *File) Close() {
	if f == nil {
		return
	}
	info, err := f.file.Stat()
	f.file.Close()
	if err == nil && info.Mode().IsRegular() && info.Size() == 0 && f.log.Tail.Seq == 0 {
		os.Remove(f.file.Name()) // an empty log is of no use
	}
}

// repair completes or removes what a killed run left of its last line.
func (f *File) repair() error {
	if f.tear == nil || f.done != "" {
		return nil
	}
	f.done = f.tear.Fix()
	if f.tear.Whole {
		_, err := f.file.WriteString("\n")
		return err
	}
	if err := f.file.Truncate(f.tear.At); err != nil {
		// On Windows a file opened for appending cannot be truncated.
		return os.Truncate(f.file.Name(), f.tear.At)
	}
	return nil
}

// Append writes one line; the first one records what was repaired before it.
func (f *File) Append(event string, fields map[string]string) error {
	if f == nil {
		return nil
	}
	first := f.tear != nil && f.done == ""
	if err := f.repair(); err != nil {
		return fault.WriteError(fmt.Sprintf("audit log %q", f.file.Name()), err)
	}
	if first {
		fields["repaired"] = f.done
	}
	return fault.As(fault.Failed, f.log.Append(time.Now(), event, fields))
}

// Repaired returns which line was repaired, and how; line is 0 if none was.
func (f *File) Repaired() (line int, how string) {
	if f == nil || f.done == "" {
		return 0, ""
	}
	return f.tear.Number(), f.done
}
