export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

/**
 * What a shell evaluates: it asks `groundplane complete -- WORDS…` and offers the lines of the answer. The word may follow `npx`, for
 * which a shell keeps the completion that it has.
 *
 * @param program the file that runs the commands
 */
export const completionScript = (shell: Shell, program: string): string => scripts[shell](quoted(program));

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const scripts: Readonly<Record<Shell, (program: string) => string>> = {
  bash: (program) => `# Completion of groundplane for Bash.
_groundplane() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") word
  COMPREPLY=()
  if [[ \${1##*/} == npx ]]; then
    [[ \${words[0]} == groundplane && \${#words[@]} -gt 1 ]] || return 0
    words=("\${words[@]:1}")
    compopt +o default 2>/dev/null
  fi
  while IFS=$'\\t' read -r word _; do
    case $word in
      :files) compopt -o default 2>/dev/null ;;
      :folders) compopt -o dirnames 2>/dev/null ;;
      *) COMPREPLY+=("$word") ;;
    esac
  done < <(node ${program} complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _groundplane groundplane
complete -p npx >/dev/null 2>&1 || complete -o default -F _groundplane npx
`,
  zsh: (program) => `#compdef groundplane
# Completion of groundplane for zsh, after compinit.
_groundplane() {
  local -a typed found
  local line
  typed=("\${(@)words[2,CURRENT]}")
  if [[ \${words[1]:t} == npx ]]; then
    if [[ \${typed[1]} != groundplane || \${#typed} -lt 2 ]]; then _files; return; fi
    shift typed
  fi
  for line in "\${(@f)$(node ${program} complete -- "\${typed[@]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :folders) _files -/ ;;
      *) line=\${line//:/\\\\:}; found+=("\${line/$'\\t'/:}") ;;
    esac
  done
  (( \${#found} )) && _describe groundplane found
}
compdef _groundplane groundplane
(( \${+_comps[npx]} )) || compdef _groundplane npx
`,
  fish: (program) => `# Completion of groundplane for fish.
function __groundplane_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -e typed[1]
    if test "$typed[1]" = groundplane
        set -e typed[1]
    end
    for line in (node ${program} complete -- $typed "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :folders
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c groundplane -f -a '(__groundplane_complete)'
complete -c npx -n 'contains -- groundplane (commandline -opc)' -f -a '(__groundplane_complete)'
`,
};
