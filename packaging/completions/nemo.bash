# bash completion for nemo. Installed as share/bash-completion/completions/nemo.

_nemo_first_column() {
  "${COMP_WORDS[0]}" "$@" 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'
}

_nemo_options() {
  case "$1" in
    '') echo '--help --version --socket --json' ;;
    login | logout) echo '--upstream --help --json' ;;
    models) echo '--tag --lane --help --json' ;;
    'keys create' | 'keys set'*)
      echo '--seat --team --models --expires --budget --rpm --tpm --parallel --on-budget --help --json' ;;
    'keys rotate'*) echo '--grace --help --json' ;;
    'teams create'* | 'teams set'* | 'seats set'*) echo '--budget --rpm --tpm --parallel --help --json' ;;
    budgets) echo '--accuracy --since --help --json' ;;
    'budgets reconcile'*) echo '--all --reason --help --json' ;;
    'route explain') echo '--model --lane --tags --key --stream --fim --tools --max-tokens --prompt-bytes --help --json' ;;
    'ab create'*) echo '--lane --arms --by --help --json' ;;
    usage) echo '--by --since --until --csv --paths --help --json' ;;
    logs) echo '--key --seat --model --status --since --limit --follow --paths --help --json' ;;
    why*) echo '--paths --help --json' ;;
    'service install') echo '--print --config --no-start --platform --help --json' ;;
    'service logs') echo '--follow --lines --platform --help --json' ;;
    'service '*) echo '--platform --help --json' ;;
    connect*) echo '--write --undo --seat --no-check --all --help --json' ;;
    *) echo '--help --json' ;;
  esac
}

# Words that may stand after `$1`, the command as far as it is typed.
_nemo_words() {
  case "$1" in
    '') echo 'status doctor login logout models set-model keys teams seats budgets deployments route ab usage logs why config connect service' ;;
    keys) echo 'create list show set rotate revoke' ;;
    teams) echo 'create list set delete' ;;
    seats) echo 'list set' ;;
    budgets) echo 'reconcile' ;;
    route) echo 'explain' ;;
    ab) echo 'create list start pause stop report' ;;
    config) echo 'show check reload' ;;
    connect) echo 'continue zed jetbrains copilot cline roo llama-vscode opencode codex codex-openai claude-code gemini-cli qwen-code copilot-cli aider avante minuet codecompanion llama-vim gptel openai-sdk' ;;
    service) echo 'install uninstall start stop status logs' ;;
    set-model) echo 'completion reasoning' ;;
    'set-model completion' | 'set-model reasoning') _nemo_first_column models ;;
    'keys show' | 'keys set' | 'keys rotate' | 'keys revoke') _nemo_first_column keys list ;;
    'teams set' | 'teams delete') _nemo_first_column teams list ;;
    'seats set') _nemo_first_column seats list ;;
    'ab start' | 'ab pause' | 'ab stop' | 'ab report') _nemo_first_column ab list ;;
    'budgets reconcile') _nemo_first_column budgets reconcile | grep '^[0-9]' ;;
  esac
}

_nemo() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' word
  local -i at
  for ((at = 1; at < COMP_CWORD; ++at)); do
    word=${COMP_WORDS[at]}
    case "$word" in
      --socket | --upstream | --tag | --lane | --seat | --team | --models | --expires | --by | --since | --until | \
        --key | --model | --status | --limit | -n | --budget | --rpm | --tpm | --parallel | --on-budget | --grace | \
        --reason | --arms | --tags | --max-tokens | --prompt-bytes | --config | --platform | --lines) ((++at)) ;;
      -*) ;;
      *) command=${command:+$command }$word ;;
    esac
  done
  case "$previous" in
    --socket | --config) COMPREPLY=($(compgen -f -- "$current")) ; return ;;
    --by)
      if [[ $command == 'ab create'* ]]; then
        COMPREPLY=($(compgen -W 'seat request' -- "$current")) ; return
      fi
      COMPREPLY=($(compgen -W 'key seat team model lane day hour client tag upstream project' -- "$current"))
      return ;;
    --platform) COMPREPLY=($(compgen -W 'systemd launchd' -- "$current")) ; return ;;
    --status) COMPREPLY=($(compgen -W 'ok error cancelled refused 402 429' -- "$current")) ; return ;;
    --lane) COMPREPLY=($(compgen -W 'completion reasoning' -- "$current")) ; return ;;
    --model | --models) COMPREPLY=($(compgen -W "$(_nemo_first_column models)" -- "$current")) ; return ;;
    --team) COMPREPLY=($(compgen -W "$(_nemo_first_column teams list)" -- "$current")) ; return ;;
    --seat) COMPREPLY=($(compgen -W "$(_nemo_first_column seats list)" -- "$current")) ; return ;;
    --on-budget) COMPREPLY=($(compgen -W 'refuse fallback:' -- "$current")) ; return ;;
    --key) COMPREPLY=($(compgen -W "$(_nemo_first_column keys list)" -- "$current")) ; return ;;
    --upstream | --tag | --expires | --since | --until | --limit | --lines | -n | --budget | --rpm | --tpm | --parallel | --grace | \
      --reason | --arms | --tags | --max-tokens | --prompt-bytes) return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_nemo_options "$command")" -- "$current"))
  elif [[ $command == 'config check' ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$(_nemo_words "$command")" -- "$current"))
  fi
}

complete -F _nemo nemo
