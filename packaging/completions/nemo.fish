# fish completion for nemo. Installed as share/fish/vendor_completions.d/nemo.fish.

function __nemo_first_column
    nemo $argv 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'
end

set -l commands status doctor login logout models set-model keys teams seats budgets deployments route ab usage logs why config connect service
set -l lanes 'completion reasoning'

complete -c nemo -f
complete -c nemo -l json -d 'Print JSON'
complete -c nemo -l socket -r -F -d 'The daemon\'s socket'
complete -c nemo -l help -s h -d 'Tell more'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -l version -d 'Print the version'

complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a status -d 'What the daemon is doing'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'Look for what keeps calls from working'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a login -d 'Give the daemon the key of an upstream'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a logout -d 'Make the daemon forget it'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a models -d 'The models that callers may name'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a set-model -d 'Choose the model of a lane'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a keys -d 'Make, list and revoke keys'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a teams -d 'Teams and their budgets'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a seats -d 'Seats and their budgets'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a budgets -d 'What is spent against what is allowed'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a deployments -d 'Where models are served: health, load, time to first token'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a route -d 'What would become of a call'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a ab -d 'Experiments: compare models on a lane'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a usage -d 'Calls, tokens and cost, summed'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a logs -d 'The newest calls'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a why -d 'The story of one call'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a config -d 'Show, check or reload the settings'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a connect -d 'Point an editor or assistant at this daemon'
complete -c nemo -n "not __fish_seen_subcommand_from $commands" -a service -d 'Let nemod start when you log in'

complete -c nemo -n '__fish_seen_subcommand_from login logout' -l upstream -x -d 'Whose key it is'
complete -c nemo -n '__fish_seen_subcommand_from models' -l tag -x -d 'Only models with this tag'
complete -c nemo -n '__fish_seen_subcommand_from models' -l lane -x -a "$lanes" -d 'Only the model of this lane'
complete -c nemo -n '__fish_seen_subcommand_from set-model; and not __fish_seen_subcommand_from completion reasoning' -a "$lanes"
complete -c nemo -n '__fish_seen_subcommand_from set-model; and __fish_seen_subcommand_from completion reasoning' -a '(__nemo_first_column models)'

complete -c nemo -n '__fish_seen_subcommand_from keys; and not __fish_seen_subcommand_from create list show set rotate revoke' -a 'create list show set rotate revoke'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from show set rotate revoke' -a '(__nemo_first_column keys list)'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from create set' -l seat -x -a '(__nemo_first_column seats list)' -d 'Who or what uses it'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from create set' -l team -x -a '(__nemo_first_column teams list)' -d 'The team of the seat'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from create set' -l models -x -a '(__nemo_first_column models)' -d 'Only these models'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from create set' -l expires -x -d 'When it ends'

complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from create set' -l on-budget -x -a 'refuse fallback:' -d 'When the budget is used up'
complete -c nemo -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from rotate' -l grace -x -d 'How long the old one works on'

complete -c nemo -n '__fish_seen_subcommand_from teams; and not __fish_seen_subcommand_from create list set delete' -a 'create list set delete'
complete -c nemo -n '__fish_seen_subcommand_from teams; and __fish_seen_subcommand_from set delete' -a '(__nemo_first_column teams list)'
complete -c nemo -n '__fish_seen_subcommand_from seats; and not __fish_seen_subcommand_from list set' -a 'list set'
complete -c nemo -n '__fish_seen_subcommand_from seats; and __fish_seen_subcommand_from set' -a '(__nemo_first_column seats list)'
complete -c nemo -n '__fish_seen_subcommand_from keys teams seats; and __fish_seen_subcommand_from create set' -l budget -x -d 'Dollars and a window: 80/month, or none'
complete -c nemo -n '__fish_seen_subcommand_from keys teams seats; and __fish_seen_subcommand_from create set' -l rpm -x -d 'Requests a minute, or none'
complete -c nemo -n '__fish_seen_subcommand_from keys teams seats; and __fish_seen_subcommand_from create set' -l tpm -x -d 'Tokens a minute, or none'
complete -c nemo -n '__fish_seen_subcommand_from keys teams seats; and __fish_seen_subcommand_from create set' -l parallel -x -d 'Calls at once, or none'

complete -c nemo -n '__fish_seen_subcommand_from budgets; and not __fish_seen_subcommand_from reconcile' -a reconcile -d 'What a crash left unsettled'
complete -c nemo -n '__fish_seen_subcommand_from budgets; and not __fish_seen_subcommand_from reconcile' -l accuracy -d 'How good the estimates were'
complete -c nemo -n '__fish_seen_subcommand_from budgets; and not __fish_seen_subcommand_from reconcile' -l since -x -d 'With --accuracy: calls from then on'
complete -c nemo -n '__fish_seen_subcommand_from reconcile' -l all -d 'All of them'
complete -c nemo -n '__fish_seen_subcommand_from reconcile' -l reason -x -d 'Why it is released'

complete -c nemo -n '__fish_seen_subcommand_from route; and not __fish_seen_subcommand_from explain' -a explain
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l model -x -a '(__nemo_first_column models)' -d 'That the call names'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l lane -x -a "$lanes" -d 'That it asks for'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l tags -x -d 'That it asks for'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l key -x -a '(__nemo_first_column keys list)' -d 'That it comes with'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l stream -d 'It is streamed'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l fim -d 'It asks to fill in the middle'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l tools -d 'It offers tools'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l max-tokens -x -d 'Its max_tokens'
complete -c nemo -n '__fish_seen_subcommand_from route; and __fish_seen_subcommand_from explain' -l prompt-bytes -x -d 'How long its prompt is'

complete -c nemo -n '__fish_seen_subcommand_from ab; and not __fish_seen_subcommand_from create list start pause stop report' -a 'create list start pause stop report'
complete -c nemo -n '__fish_seen_subcommand_from ab; and __fish_seen_subcommand_from start pause stop report' -a '(__nemo_first_column ab list)'
complete -c nemo -n '__fish_seen_subcommand_from ab; and __fish_seen_subcommand_from create' -l lane -x -a "$lanes" -d 'Whose calls are shared out'
complete -c nemo -n '__fish_seen_subcommand_from ab; and __fish_seen_subcommand_from create' -l arms -x -d 'Models and their weights: a=50,b=50'
complete -c nemo -n '__fish_seen_subcommand_from ab; and __fish_seen_subcommand_from create' -l by -x -a 'seat request' -d 'What always gets the same model'

complete -c nemo -n '__fish_seen_subcommand_from usage' -l by -x -a 'key seat team model lane day hour client tag upstream project' -d 'What to sum by'
complete -c nemo -n '__fish_seen_subcommand_from usage logs' -l since -x -d 'Calls from then on'
complete -c nemo -n '__fish_seen_subcommand_from usage' -l until -x -d 'Calls before then'
complete -c nemo -n '__fish_seen_subcommand_from usage' -l csv -d 'Print CSV'

complete -c nemo -n '__fish_seen_subcommand_from logs' -l key -x -a '(__nemo_first_column keys list)' -d 'Calls with this key'
complete -c nemo -n '__fish_seen_subcommand_from logs' -l seat -x -d 'Calls of this seat'
complete -c nemo -n '__fish_seen_subcommand_from logs' -l model -x -a '(__nemo_first_column models)' -d 'Calls that this model answered'
complete -c nemo -n '__fish_seen_subcommand_from logs' -l status -x -a 'ok error cancelled refused 402 429' -d 'How they ended'
complete -c nemo -n '__fish_seen_subcommand_from logs' -l limit -s n -x -d 'How many'
complete -c nemo -n '__fish_seen_subcommand_from logs' -l follow -s f -d 'Go on with calls as they end'

complete -c nemo -n '__fish_seen_subcommand_from config; and not __fish_seen_subcommand_from show check reload' -a 'show check reload'
complete -c nemo -n '__fish_seen_subcommand_from config; and __fish_seen_subcommand_from check' -F

complete -c nemo -n '__fish_seen_subcommand_from usage why; or begin; __fish_seen_subcommand_from logs; and not __fish_seen_subcommand_from service; end' -l paths -d 'Projects by their whole path'

complete -c nemo -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from install uninstall start stop status logs' -a 'install uninstall start stop status logs'
complete -c nemo -n '__fish_seen_subcommand_from service' -l platform -x -a 'systemd launchd' -d 'Whose service'
complete -c nemo -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l print -d 'Only print what would be written'
complete -c nemo -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l config -r -F -d 'The config file that it reads'
complete -c nemo -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l no-start -d 'Do not start it now'
complete -c nemo -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from logs' -l follow -s f -d 'Go on with what it says'
complete -c nemo -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from logs' -l lines -s n -x -d 'How many'

set -l clients continue zed jetbrains copilot cline roo llama-vscode opencode codex codex-openai claude-code gemini-cli qwen-code copilot-cli aider avante minuet codecompanion llama-vim gptel openai-sdk
complete -c nemo -n "__fish_seen_subcommand_from connect; and not __fish_seen_subcommand_from $clients" -a "$clients"
complete -c nemo -n '__fish_seen_subcommand_from connect' -l write -d 'Make a key and change its settings'
complete -c nemo -n '__fish_seen_subcommand_from connect' -l undo -d 'Take back what was written'
complete -c nemo -n '__fish_seen_subcommand_from connect' -l no-check -d 'Prove nothing with a call'
complete -c nemo -n '__fish_seen_subcommand_from connect' -l all -d 'List those too that are not here'
complete -c nemo -n '__fish_seen_subcommand_from connect' -l seat -x -a '(__nemo_first_column seats list)' -d 'Whose key it is'
