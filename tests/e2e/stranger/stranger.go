// The stranger: checks a log with Go's own packages for transparency logs and none of our code.
//
// It reads requests from its standard input, one a line, fields separated by tabs, and answers each
// with one line: "ok" and what was found, or "no" and why not.
//
//	log         FOLDER VKEY           signature, every tile, every entry, and the root over them
//	consistent  OLDER FOLDER VKEY     a checkpoint seen earlier is continued by the one in FOLDER
//	signed      FILE VKEY             a checkpoint by itself
//	included    FOLDER VKEY NUMBER    one entry, by a path from the tiles
//	proof       FILE VKEY             one entry, by a c2sp.org/tlog-proof@v1 that holds everything
//	cosigned    FILE VKEY             a witness's c2sp.org/tlog-cosignature on a checkpoint
//
// Debian: golang-go and golang-golang-x-mod-dev; GO111MODULE=off GOPATH=/usr/share/gocode go build.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		found, err := answer(strings.Split(lines.Text(), "\t"))
		if err != nil {
			fmt.Printf("no %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("ok %s\n", found)
		}
	}
}

func answer(words []string) (string, error) {
	switch {
	case len(words) == 3 && words[0] == "log":
		return wholeLog(words[1], words[2])
	case len(words) == 4 && words[0] == "consistent":
		return consistent(words[1], words[2], words[3])
	case len(words) == 3 && words[0] == "signed":
		return signedNote(words[1], words[2])
	case len(words) == 4 && words[0] == "included":
		return included(words[1], words[2], words[3])
	case len(words) == 3 && words[0] == "proof":
		return proof(words[1], words[2])
	case len(words) == 3 && words[0] == "cosigned":
		return cosigned(words[1], words[2])
	case len(words) == 2 && words[0] == "key":
		return witnessKey(words[1]), nil
	case len(words) == 3 && words[0] == "serve":
		return serve(words[1], words[2])
	case len(words) == 5 && words[0] == "offer":
		return offer(words[1], words[2], words[3], words[4])
	}
	return "", errors.New("not a request")
}

// checkpoint opens a signed note and reads the tree that it speaks of.
func checkpoint(text []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	return tree(opened.Text, verifier.Name())
}

// tree reads the three lines of c2sp.org/tlog-checkpoint.
func tree(text string, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin {
		return tlog.Tree{}, errors.New("not a checkpoint of that origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("not the size of a tree")
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// signedNote opens a checkpoint that stands without its log, as in a pack.
func signedNote(file string, vkey string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	signed, err := checkpoint(text, vkey)
	return fmt.Sprintf("%d %s", signed.N, signed.Hash), err
}

func checkpointIn(folder string, vkey string) (tlog.Tree, error) {
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	return checkpoint(text, vkey)
}

// tiles reads the files of one log for Go's tlog package, which checks all that it is given.
type tiles struct{ folder string }

func (it tiles) Height() int                         { return height }
func (it tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (it tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := readTile(it.folder, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, errors.New("a tile is too short")
		}
		found = append(found, data[:tile.W*tlog.HashSize])
	}
	return found, nil
}

// readTile reads a tile or, for a partial one, the full tile that took its place.
func readTile(folder string, path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, path))
	if at := strings.Index(path, ".p/"); err != nil && at >= 0 {
		return os.ReadFile(filepath.Join(folder, path[:at]))
	}
	return data, err
}

// wholeLog hashes every entry, compares every tile, and compares the root with the signed one.
func wholeLog(folder string, vkey string) (string, error) {
	signed, err := checkpointIn(folder, vkey)
	if err != nil {
		return "", err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, errors.New("a hash that is not there yet")
			}
			found = append(found, stored[index])
		}
		return found, nil
	})
	for number := int64(0); number < signed.N; number += width {
		leaves, err := bundle(folder, signed.N, number/width)
		if err != nil {
			return "", err
		}
		for at, leaf := range leaves {
			hashes, err := tlog.StoredHashes(number+int64(at), leaf, reader)
			if err != nil {
				return "", err
			}
			stored = append(stored, hashes...)
		}
	}
	root, err := tlog.TreeHash(signed.N, reader)
	if err != nil {
		return "", err
	}
	if root != signed.Hash {
		return "", errors.New("the root of the entries is not the signed one")
	}
	wanted := tlog.NewTiles(height, 0, signed.N)
	for at, tile := range wanted {
		// Of a partial tile every width is named; this size has the widest.
		if next := at + 1; next < len(wanted) && wanted[next].L == tile.L && wanted[next].N == tile.N {
			continue
		}
		expected, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return "", err
		}
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		found, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return "", err
		}
		if !bytes.Equal(expected, found) {
			return "", fmt.Errorf("%s is not the tile of the entries", path)
		}
	}
	return fmt.Sprintf("%d %s", signed.N, root), nil
}

// bundle reads the entries of tile index: each after its length in two bytes, big-endian.
func bundle(folder string, size int64, index int64) ([][]byte, error) {
	count := size - index*width
	if count > width {
		count = width
	}
	tile := tlog.Tile{H: height, L: -1, N: index, W: int(count)}
	path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
	data, err := readTile(folder, path)
	if err != nil {
		return nil, err
	}
	var leaves [][]byte
	for int64(len(leaves)) < count {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("a bundle is cut short")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		leaves = append(leaves, data[2:end])
		data = data[end:]
	}
	full := !strings.Contains(path, ".p/")
	if _, err := os.Stat(filepath.Join(folder, path)); len(data) > 0 && (full || err == nil) {
		return nil, errors.New("a bundle holds more than its name says")
	}
	return leaves, nil
}

func consistent(older string, folder string, vkey string) (string, error) {
	text, err := os.ReadFile(older)
	if err != nil {
		return "", err
	}
	before, err := checkpoint(text, vkey)
	if err != nil {
		return "", err
	}
	now, err := checkpointIn(folder, vkey)
	if err != nil {
		return "", err
	}
	path, err := tlog.ProveTree(now.N, before.N, tlog.TileHashReader(now, tiles{folder}))
	if err != nil {
		return "", err
	}
	if err := tlog.CheckTree(path, now.N, now.Hash, before.N, before.Hash); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d to %d by %d hashes", before.N, now.N, len(path)), nil
}

func included(folder string, vkey string, number string) (string, error) {
	signed, err := checkpointIn(folder, vkey)
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil || index < 0 || index >= signed.N {
		return "", errors.New("no such entry")
	}
	path, err := tlog.ProveRecord(signed.N, index, tlog.TileHashReader(signed, tiles{folder}))
	if err != nil {
		return "", err
	}
	leaves, err := bundle(folder, signed.N, index/width)
	if err != nil {
		return "", err
	}
	leaf := tlog.RecordHash(leaves[index%width])
	if err := tlog.CheckRecord(path, signed.N, signed.Hash, index, leaf); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d by %d hashes", index, len(path)), nil
}

// proof reads c2sp.org/tlog-proof@v1; the leaf is what stands in its line for extra data.
func proof(file string, vkey string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	head, signedNote, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", errors.New("not a proof")
	}
	if !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return "", errors.New("no leaf or no index")
	}
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return "", err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return "", err
		}
		path = append(path, hash)
	}
	signed, err := checkpoint(signedNote, vkey)
	if err != nil {
		return "", err
	}
	err = tlog.CheckRecord(path, signed.N, signed.Hash, index, tlog.RecordHash(leaf))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %x", index, sha256.Sum256(leaf)), nil
}

// witness verifies a line of kind 0x04: u64 seconds, then Ed25519 over time and text.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (it witness) Name() string    { return it.name }
func (it witness) KeyHash() uint32 { return it.hash }
func (it witness) Verify(text []byte, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(it.key, []byte(message), signature[8:])
}

func cosigned(file string, vkey string) (string, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return "", errors.New("not a key")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != 4 {
		return "", errors.New("not the key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	known := witness{parts[0], binary.BigEndian.Uint32(sum[:]), material[1:]}
	if fmt.Sprintf("%08x", known.hash) != parts[1] {
		return "", errors.New("the hash of another key")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(text, note.VerifierList(known))
	if err != nil {
		return "", err
	}
	signature, err := base64.StdEncoding.DecodeString(opened.Sigs[0].Base64)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d", binary.BigEndian.Uint64(signature[4:])), nil
}
