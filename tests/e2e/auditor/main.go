// Command auditor checks a published log with none of Comity's code: other language, own RFC 6962 hashing, Go's notes.
//
//	auditor FOLDER VKEY [REMEMBERED-CHECKPOINT]
//
// It computes every hash anew from the bundles of entries and compares all tiles with that; it reads no tile to show
// that an entry is right. What the entries must say together is in entries.go; agreement.go reads the versions that
// stand beside the log, and rows.go holds each statement against their ladders.
//
// Exit code 0: all is as it must be; 1: lines on standard output say what is not, and where.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const width = 256

type hash = [sha256.Size]byte

type checkpoint struct {
	origin string
	size   uint64
	root   hash
}

type refusal struct{ place, why string }

func refuse(place, format string, args ...interface{}) {
	panic(refusal{place, fmt.Sprintf(format, args...)})
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: auditor FOLDER VKEY [REMEMBERED-CHECKPOINT]")
		os.Exit(2)
	}
	defer func() {
		if found, is := recover().(refusal); is {
			fmt.Printf("%s: %s\n", found.place, found.why)
			os.Exit(1)
		}
	}()
	verifier, err := note.NewVerifier(strings.TrimSpace(os.Args[2]))
	if err != nil {
		refuse("VKEY", "%v", err)
	}
	log := folder(os.Args[1])
	head := opened("checkpoint", log.must("checkpoint"), verifier)
	remembered := checkpoint{origin: head.origin, root: sha256.Sum256(nil)}
	if len(os.Args) > 3 {
		content, err := os.ReadFile(os.Args[3])
		if err != nil {
			refuse(os.Args[3], "%v", err)
		}
		remembered = opened(os.Args[3], content, verifier)
	}
	if remembered.size > head.size {
		refuse("checkpoint", "%d entries, fewer than the %d remembered: rolled back", head.size, remembered.size)
	}
	record := newRecord(log)
	audit(log, record, head, remembered)
	record.end(head, strings.TrimSpace(os.Args[2]))
	held := fmt.Sprintf("%d of %d statements held against the ladder's rows", record.lookedUp, record.statements)
	if record.objections > 0 {
		fmt.Printf("%s, %d objections\n", held, record.objections)
		os.Exit(1)
	}
	fmt.Printf("%s: %d entries, root %s\n", head.origin, head.size, base64.StdEncoding.EncodeToString(head.root[:]))
	fmt.Println(held)
}

func opened(place string, content []byte, verifier note.Verifier) checkpoint {
	signed, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		refuse(place, "%v", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		refuse(place, "no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	root, fault := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || fault != nil || len(root) != sha256.Size || strconv.FormatUint(size, 10) != lines[1] {
		refuse(place, "no checkpoint: size or root")
	}
	one := checkpoint{origin: lines[0], size: size}
	copy(one.root[:], root)
	return one
}

type folder string

func (log folder) read(path string) []byte {
	content, err := os.ReadFile(filepath.Join(string(log), filepath.FromSlash(path)))
	if err != nil {
		return nil
	}
	return content
}

func (log folder) must(path string) []byte {
	content := log.read(path)
	if content == nil {
		refuse(path, "there is no such file")
	}
	return content
}

// tile reads a file that should have `has` of 256 places; a partial one may have given way to the full one.
func (log folder) tile(level string, n, has uint64) (string, []byte) {
	path := name(level, n)
	if has < width {
		partial := fmt.Sprintf("%s.p/%d", path, has)
		if content := log.read(partial); content != nil {
			return partial, content
		}
		if log.read(path) == nil {
			refuse(partial, "there is no such file")
		}
	}
	return path, log.must(path)
}

func name(level string, n uint64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	return "tile/" + level + "/" + path
}

// audit grows the tree entry by entry: rows[l] are the hashes of level l's tile that is not yet full.
func audit(log folder, record *record, head, remembered checkpoint) {
	tree := &tree{log: log}
	for tree.size < head.size {
		has := head.size - tree.size
		if has > width {
			has = width
		}
		path, content := log.tile("entries", tree.size/width, has)
		for n := uint64(0); n < has; n++ {
			if tree.size == remembered.size && tree.root() != remembered.root {
				refuse("the remembered checkpoint", "the first %d entries are others now", remembered.size)
			}
			var entry []byte
			entry, content = cut(path, tree.size, content)
			record.take(path, tree.size, entry)
			tree.add(sha256.Sum256(append([]byte{0}, entry...)))
		}
		if len(content) > 0 && strings.Contains(path, ".p/") {
			refuse(path, "%d bytes after its last entry", len(content))
		}
	}
	if tree.size == remembered.size && tree.root() != remembered.root {
		refuse("the remembered checkpoint", "the first %d entries are others now", remembered.size)
	}
	for level, row := range tree.rows {
		if len(row) > 0 {
			tree.compare(level, tree.size>>(8*uint(level+1)), row)
		}
	}
	if tree.root() != head.root {
		refuse("checkpoint", "the entries give another root than it signs")
	}
}

func cut(path string, index uint64, content []byte) ([]byte, []byte) {
	if len(content) < 2 || len(content)-2 < int(content[0])<<8+int(content[1]) {
		refuse(path, "it breaks off in entry %d", index)
	}
	end := 2 + int(content[0])<<8 + int(content[1])
	return content[2:end], content[end:]
}

type tree struct {
	log   folder
	size  uint64
	peaks []hash // roots of the complete subtrees, the largest first
	rows  [][]hash
}

func (tree *tree) add(leaf hash) {
	node, level := leaf, 0
	tree.push(0, node)
	for rest := tree.size; rest&1 == 1; rest >>= 1 {
		node = join(tree.peaks[len(tree.peaks)-1], node)
		tree.peaks = tree.peaks[:len(tree.peaks)-1]
		if level++; level%8 == 0 {
			tree.push(level/8, node)
		}
	}
	tree.peaks = append(tree.peaks, node)
	tree.size++
	for at := range tree.rows {
		if len(tree.rows[at]) == width {
			tree.compare(at, tree.size>>(8*uint(at+1))-1, tree.rows[at])
			tree.rows[at] = nil
		}
	}
}

func (tree *tree) push(level int, node hash) {
	if level == len(tree.rows) {
		tree.rows = append(tree.rows, nil)
	}
	tree.rows[level] = append(tree.rows[level], node)
}

func (tree *tree) compare(level int, n uint64, row []hash) {
	path, content := tree.log.tile(strconv.Itoa(level), n, uint64(len(row)))
	has := len(row)
	if !strings.Contains(path, ".p/") {
		has = width
	}
	if len(content) != has*sha256.Size {
		refuse(path, "it has %d bytes, not %d", len(content), has*sha256.Size)
	}
	for at, node := range row {
		if !bytes.Equal(node[:], content[at*sha256.Size:(at+1)*sha256.Size]) {
			refuse(path, "hash %d is not what the entries give", at)
		}
	}
}

func (tree *tree) root() hash {
	if len(tree.peaks) == 0 {
		return sha256.Sum256(nil)
	}
	root := tree.peaks[len(tree.peaks)-1]
	for at := len(tree.peaks) - 2; at >= 0; at-- {
		root = join(tree.peaks[at], root)
	}
	return root
}

func join(left, right hash) hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}
