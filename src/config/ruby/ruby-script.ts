/**
 * The program that `ruby` runs. It reads the template as JSON from its standard input, evaluates it as Kamal does, and
 * prints the text, with the line of each part, and the changed variables. The output of the template itself goes to standard error.
 */
export const RUBY_SCRIPT = `
require "erb"
require "json"
begin
  require "active_support/all"
rescue LoadError
end

class MrskOutput < String
  def mrsk_parts
    @mrsk_parts ||= []
  end

  def <<(text)
    mrsk_parts << [caller_locations(1, 1)[0].lineno, text.to_s]
    super
  end
end

class MrskTemplate < ERB
  def set_eoutvar(compiler, eoutvar = "_erbout")
    super
    compiler.pre_cmd = ["#{eoutvar} = MrskOutput.new"]
  end
end

class MrskCommandError < Exception
end

mrsk_input = JSON.parse($stdin.read)
mrsk_result = $stdout.dup
$stdout.reopen($stderr)
$stdin.reopen(mrsk_input["terminal"] ? "/dev/tty" : File::NULL)

unless mrsk_input["template"].match?(/\\$\\?|CHILD_STATUS/)
  module Kernel
    alias_method :mrsk_backtick, :\`
    def \`(command)
      output = mrsk_backtick(command)
      return output if $?.success?
      raise MrskCommandError, "a command failed (exit status #{$?.exitstatus}): #{command.lines.first.to_s.strip}"
    end
  end
end

mrsk_before = ENV.to_h
begin
  mrsk_text = MrskTemplate.new(mrsk_input["template"], trim_mode: "-").result
  mrsk_parts = mrsk_text.mrsk_parts
  mrsk_parts = [[1, mrsk_text.to_s]] if mrsk_parts.map(&:last).join != mrsk_text
  mrsk_after = ENV.to_h
  mrsk_answer = JSON.generate(
    parts: mrsk_parts,
    set: mrsk_after.reject { |name, value| mrsk_before[name] == value },
    removed: mrsk_before.keys - mrsk_after.keys
  )
rescue Exception => error
  place = [*error.backtrace, error.message].map { |text| text[/\\(erb\\):(\\d+)/, 1] }.compact.first
  plain = error.is_a?(SystemExit) || error.is_a?(MrskCommandError)
  mrsk_answer = JSON.generate(error: plain ? error.message : "#{error.class}: #{error.message}", line: place.to_i)
end
mrsk_result.write(mrsk_answer)
`;
