package main

// A witness and a log that share no code with ours: c2sp.org/tlog-witness over Go's packages.
//
//	key    NAME                       the public key of the witness NAME
//	serve  NAME VKEY                  follows the log VKEY; says the address where it serves
//	offer  ADDRESS FOLDER VKEY OLD    a log's checkpoint to a witness; status, type and what it said

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// foreign is a witness of one log.
type foreign struct {
	name string
	log  note.Verifier
	lock sync.Mutex
	seen tlog.Tree
}

// secret is a key for tests alone: everybody can make it from the name.
func secret(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// hashOf gives the four bytes by which lines name the key, and the key behind its kind.
func hashOf(name string) ([]byte, []byte) {
	material := append([]byte{4}, secret(name).Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), material...))
	return sum[:4], material
}

func witnessKey(name string) string {
	hash, material := hashOf(name)
	return fmt.Sprintf("%s+%x+%s", name, hash, base64.StdEncoding.EncodeToString(material))
}

func serve(name string, vkey string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	it := &foreign{name: name, log: verifier}
	mux := http.NewServeMux()
	mux.HandleFunc("/prefix/add-checkpoint", it.addCheckpoint)
	go http.Serve(listener, mux)
	return "http://" + listener.Addr().String() + "/prefix", nil
}

func (it *foreign) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64*1024))
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if err != nil || r.Method != "POST" || !found || !strings.HasPrefix(lines[0], "old ") {
		http.Error(w, "not a request", 400)
		return
	}
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	origin, _, _ := strings.Cut(string(signed), "\n")
	if err != nil || old < 0 {
		http.Error(w, "not a size", 400)
		return
	}
	if origin != it.log.Name() {
		http.Error(w, "unknown", 404)
		return
	}
	opened, err := note.Open(signed, note.VerifierList(it.log))
	if err != nil {
		http.Error(w, "not signed", 403)
		return
	}
	now, err := tree(opened.Text, origin)
	if err != nil || old > now.N {
		http.Error(w, "not a checkpoint", 400)
		return
	}
	it.lock.Lock()
	defer it.lock.Unlock()
	if old != it.seen.N || now.N == it.seen.N && now.Hash != it.seen.Hash {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(409)
		fmt.Fprintf(w, "%d\n", it.seen.N)
		return
	}
	var path tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(w, "not a hash", 400)
			return
		}
		path = append(path, hash)
	}
	// Nothing is continued from an empty tree, and by the same one.
	if it.seen.N == 0 || it.seen.N == now.N {
		err = nil
		if len(path) > 0 {
			err = errors.New("a proof of nothing")
		}
	} else {
		err = tlog.CheckTree(path, now.N, now.Hash, it.seen.N, it.seen.Hash)
	}
	if err != nil {
		http.Error(w, "not continued", 422)
		return
	}
	it.seen = now
	fmt.Fprint(w, it.cosign(opened.Text))
}

func (it *foreign) cosign(text string) string {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()))
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(stamp), text)
	hash, _ := hashOf(it.name)
	line := append(append(hash, stamp...), ed25519.Sign(secret(it.name), []byte(message))...)
	return fmt.Sprintf("— %s %s\n", it.name, base64.StdEncoding.EncodeToString(line))
}

// offer proves with Go's packages, from a log's tiles, that it continues the tree of size old.
func offer(address string, folder string, vkey string, old string) (string, error) {
	now, err := checkpointIn(folder, vkey)
	if err != nil {
		return "", err
	}
	before, err := strconv.ParseInt(old, 10, 64)
	if err != nil {
		return "", err
	}
	body := "old " + old + "\n"
	if before > 0 && before < now.N {
		path, err := tlog.ProveTree(now.N, before, tlog.TileHashReader(now, tiles{folder}))
		if err != nil {
			return "", err
		}
		for _, hash := range path {
			body += hash.String() + "\n"
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	url := address + "/add-checkpoint"
	answer, err := http.Post(url, "text/plain", strings.NewReader(body+"\n"+string(text)))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	kind := answer.Header.Get("Content-Type")
	return fmt.Sprintf("%d %s %s", answer.StatusCode, kind, strings.TrimSpace(string(said))), nil
}
