package main

import (
	"io"
	"os"
	"path/filepath"
)

// A destination is a file on its way: commit ends it, discard takes it back as
// far as that can be done.
type destination interface {
	io.Writer
	commit() error
	discard()
}

// An outputFile is a file on its way. It gets its name only when it is whole,
// so that a reader never sees half a report and an old one stays until then.
type outputFile struct {
	f    *os.File
	temp string // where it is written until it is whole; "" if in place
	name string
	made bool // this run created the file, in place
}

// createOutput opens name for writing. In place is for formats that are valid
// wherever they are cut, and for what is no regular file.
func createOutput(name string, inPlace bool) (*outputFile, error) {
	info, err := os.Stat(name)
	exists := err == nil
	if inPlace || exists && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return nil, err
		}
		return &outputFile{f: f, name: name, made: !exists}, nil
	}
	if exists {
		// A file that must not be changed must not be replaced either.
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		// A link keeps pointing at what it pointed at.
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	mode := os.FileMode(0o644)
	if exists {
		mode = info.Mode().Perm()
	}
	out := &outputFile{f: f, temp: f.Name(), name: name}
	if err := f.Chmod(mode); err != nil {
		out.discard()
		return nil, err
	}
	return out, nil
}

// Write implements [io.Writer].
func (o *outputFile) Write(p []byte) (int, error) { return o.f.Write(p) }

// commit ends the file and gives it its name.
func (o *outputFile) commit() error {
	if err := o.f.Close(); err != nil {
		o.discard()
		return err
	}
	if o.temp == "" {
		return nil
	}
	if err := os.Rename(o.temp, o.name); err != nil {
		o.discard()
		return err
	}
	return nil
}

// discard ends the file and leaves what had the name before. A file written in
// place stays as far as it came, unless it is still empty.
func (o *outputFile) discard() {
	o.f.Close()
	if o.temp != "" {
		os.Remove(o.temp)
		return
	}
	if info, err := os.Stat(o.name); o.made && err == nil && info.Size() == 0 {
		os.Remove(o.name)
	}
}

// exists reports whether there is something of that name.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
