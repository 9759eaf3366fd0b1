package main

import (
	"embed"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/stress/campaign"
)

// completionWord is the library's: as the last argument it asks for what could stand in its place.
const completionWord = "--generate-bash-completion"

// asksCompletion tells whether a shell asks, and nothing is to be done.
func asksCompletion(args []string) bool {
	return len(args) > 1 && args[len(args)-1] == completionWord && !slices.Contains(args, "--")
}

// The scripts for shells that ask heisen; fish's is made by the library and asks nobody.
//
//go:embed completion
var completionFiles embed.FS

func completionCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print what makes a shell complete heisen's commands, flags and campaigns",
		ArgsUsage: "bash|zsh|fish",
		Description: `EXAMPLES:
   heisen completion bash > /etc/bash_completion.d/heisen
   heisen completion zsh > ~/.zfunc/_heisen
   heisen completion fish > ~/.config/fish/completions/heisen.fish
   source <(heisen completion bash)`,
		OnUsageError: onUsageError,
		BashComplete: func(c *cli.Context) { fmt.Fprintln(c.App.Writer, "bash\nzsh\nfish") },
		Action: func(c *cli.Context) error {
			shell, err := oneArgument(c, "a shell: bash, zsh or fish")
			if err != nil {
				return err
			}
			script, err := completionScript(c.App, shell)
			if err != nil {
				return err
			}
			_, err = io.WriteString(stdout, script)
			return err
		},
	}
}

func completionScript(app *cli.App, shell string) (string, error) {
	switch shell {
	case "bash", "zsh":
		script, err := completionFiles.ReadFile(path.Join("completion", shell))
		return string(script), err
	case "fish":
		return app.ToFishCompletion()
	}
	return "", usagef("completion %s: give bash, zsh or fish", shell)
}

// completeReferences offers the campaigns there are, where one is asked for, and flags after a dash.
func completeReferences(c *cli.Context) {
	if asksFlag(os.Args) {
		cli.DefaultCompleteWithFlags(c.Command)(c)
		return
	}
	fmt.Fprintln(c.App.Writer, "last")
	found, err := campaign.NewStore(c.String(flagDir)).List()
	if err != nil {
		return // a shell has no place to say why nothing is offered
	}
	for _, f := range found {
		fmt.Fprintln(c.App.Writer, f.Name)
	}
}

// completeHelp offers commands and topics.
func completeHelp(c *cli.Context) {
	if asksFlag(os.Args) {
		cli.DefaultCompleteWithFlags(c.Command)(c)
		return
	}
	for _, command := range c.App.VisibleCommands() {
		fmt.Fprintln(c.App.Writer, command.Name)
	}
	pages, _ := topics() // embedded
	for _, t := range pages {
		fmt.Fprintln(c.App.Writer, t.name)
	}
}

// asksFlag tells whether the word to complete begins with a dash.
func asksFlag(args []string) bool {
	return len(args) > 2 && strings.HasPrefix(args[len(args)-2], "-")
}
