/** Templates and the text that Ruby 3.1 makes of them, with `trim_mode: "-"` and the variables `NAME=shop`, `COUNT=3`. */
export const RUBY_TABLE: readonly (readonly [template: string, text: string])[] = [
  ["<% %w[a b].each do |h| %>- <%= h %>\n<% end %>", "- a\n- b\n"],
  ["<% %w[a b].each do |h| -%>\n- <%= h %>\n<% end -%>", "- a\n- b\n"],
  [
    "<% %w(a b).each_with_index do |h, i| -%>\n  <%- if i > 0 -%>,<%- end -%>\n<%= i %>:<%= h %>\n<% end %>",
    "0:a\n,1:b\n",
  ],
  ["<% 3.times do |i| %>web<%= i %> <% end %>", "web0 web1 web2 "],
  ["<% 3.times { |i| %>web<%= i + 1 %> <% } %>", "web1 web2 web3 "],
  ["<% (1..3).each do |i| %>10.0.0.<%= i %> <% end %>", "10.0.0.1 10.0.0.2 10.0.0.3 "],
  ['<%= (1...3).map { |i| "10.0.0.#{i}" }.join(",") %>', "10.0.0.1,10.0.0.2"],
  ["<%= (1..3).to_a.inspect %>", "[1, 2, 3]"],
  ['<%= ("a".."e").to_a.join %>', "abcde"],
  ["<%= 3.times.map { |i| i * 2 } %>", "[0, 2, 4]"],
  ['<%= %w[a b].map(&:upcase).join(",") %>', "A,B"],
  ["<%= [1, [2, [3]]].flatten.inspect %> <%= [1, [2, [3]]].flatten(1) %>", "[1, 2, 3] [1, 2, [3]]"],
  ["<%= [[1, 2], [3, 4]].map { |a, b| a + b } %>", "[3, 7]"],
  ["<%= [[1, [2, 3]]].map { |a, (b, c)| a + b + c } %>", "[6]"],
  ["<%= [1, 2, 3, 4].select(&:even?) %> <%= [1, 2, 3, 4].reject { |x| x.even? } %>", "[2, 4] [1, 3]"],
  ["<%= %w[a b].flat_map { |x| [x, x * 2] } %>", '["a", "aa", "b", "bb"]'],
  ["<%= %w[b a].sort.first %> <%= %w[bb a].sort_by(&:length).inspect %>", 'a ["a", "bb"]'],
  ["<%= [3, 1, 2].min %> <%= [3, 1, 2].max %> <%= [3, 1, 2].sum %> <%= [1, 2.5].sum %>", "1 3 6 3.5"],
  ["<%= [1, nil, 2].compact.inspect %> <%= [1, 1, 2].uniq %>", "[1, 2] [1, 2]"],
  ["<%= %w[a b c].each_slice(2).map { |x| x.join } %>", '["ab", "c"]'],
  ['<%= %w[a b].each_with_index.map { |x, i| "#{x}#{i}" } %>', '["a0", "b1"]'],
  ['<%= %w[a b].map.with_index(1) { |x, i| "#{x}#{i}" } %>', '["a1", "b2"]'],
  ["<% %w[a b].each.with_index(1) do |x, i| %><%= i %><%= x %> <% end %>", "1a 2b "],
  [
    "<%= [1, 2, 3].inject { |a, b| a + b } %> <%= [1, 2].reduce(10) { |a, b| a - b } %> <%= [1, 2].inject(:+) %>",
    "6 7 3",
  ],
  ["<%= [1, 2, 3].partition { |x| x > 1 }.inspect %>", "[[2, 3], [1]]"],
  ['<%= %w[a b ab].group_by(&:length).map { |k, v| "#{k}=#{v.join}" }.join(";") %>', "1=ab;2=ab"],
  ["<%= [1, 2].zip([3, 4]).inspect %> <%= [1, 2, 3].each_cons(2).to_a.inspect %>", "[[1, 3], [2, 4]] [[1, 2], [2, 3]]"],
  ['<%= ["a", 1, nil, :b, 1.5, true].inspect %>', '["a", 1, nil, :b, 1.5, true]'],
  [
    "<%= [1, 2, 3][0..1] %> <%= [1, 2, 3][-1] %> <%= [1, 2, 3][1..] %> <%= [1, 2, 3][5].inspect %>",
    "[1, 2] 3 [2, 3] nil",
  ],
  [
    "<%= [1, 2, 3].first(2) %> <%= [1, 2, 3].last(2) %> <%= [1, 2, 3].take(1) %> <%= [1, 2, 3].drop(1) %>",
    "[1, 2] [2, 3] [1] [2, 3]",
  ],
  [
    '<%= [1, 2] + [3] - [1] %> <%= [1, 2] & [2] %> <%= [1] | [2] %> <%= [0] * 2 %> <%= [1, 2] * "-" %>',
    "[2, 3] [2] [1, 2] [0, 0] 1-2",
  ],
  ["<% a = [] %><% a << 1 << 2 %><% a.push(3) %><%= a %> <% b = a %><% b << 4 %><%= a.size %>", "[1, 2, 3] 4"],
  [
    "<%= [1, 2].include?(2) %> <%= [1, 2].any? { |x| x > 1 } %> <%= [].any? %> <%= [1, 2].all?(Integer) %> <%= [].none? %>",
    "true true false true true",
  ],
  ['<%= %w[a b].find { |x| x == "b" } %> <%= %w[a b].index("b") %> <%= [1, 2, 2].count(2) %>', "b 1 2"],
  ['<%= {a: 1, "b" => 2}.map { |k, v| "#{k}-#{v}" }.join(" ") %>', "a-1 b-2"],
  [
    '<% {web: "1.1.1.1", job: "2.2.2.2"}.each do |role, ip| %><%= role %>: <%= ip %>\n<% end %>',
    "web: 1.1.1.1\njob: 2.2.2.2\n",
  ],
  [
    "<% {web: 1}.each_pair do |k, v| %><%= k %><%= v %><% end %><% {a: 1}.each_with_index do |(k, v), i| %><%= k %><%= v %><%= i %><% end %>",
    "web1a10",
  ],
  [
    '<%= {a: 1}[:a] %> <%= {a: 1}[:b].inspect %> <%= {a: 1}.fetch(:b, 2) %> <%= {a: {b: 3}}.dig(:a, :b) %> <%= {"a" => 1}.key?("a") %>',
    "1 nil 2 3 true",
  ],
  [
    '<% h = {} %><% h["x"] = 1 %><% h["x"] += 2 %><% h["y"] ||= 5 %><%= h["x"] %><%= h["y"] %> <%= h.keys %> <%= h.values %>',
    '35 ["x", "y"] [3, 5]',
  ],
  [
    "<%= {a: 1}.merge({b: 2}).keys.inspect %> <%= {a: 1, b: nil}.compact.keys %> <%= {a: 1, b: 2}.select { |k, v| v > 1 }.keys %>",
    "[:a, :b] [:a] [:b]",
  ],
  [
    '<%= {a: 1}.transform_values { |v| v + 1 }.values %> <%= {a: 1}.to_a.inspect %> <%= [[:a, 1]].to_h[:a] %> <%= %w[a].to_h { |x| [x, 1] }["a"] %>',
    "[2] [[:a, 1]] 1 1",
  ],
  [
    "<%= {b: 1, a: 2}.sort.inspect %> <%= {b: 1, a: 2}.min_by { |k, v| v }.inspect %> <%= {b: 1}.sum { |k, v| v } %> <%= {a: 1}.invert[1] %>",
    "[[:a, 2], [:b, 1]] [:b, 1] 1 a",
  ],
  [
    '<%= "a-b_c".tr("-_", "..") %> <%= "hello".tr("a-y", "b-z") %> <%= "hello".tr("^l", "*") %> <%= "hello".delete("l") %> <%= "a--b".squeeze("-") %>',
    "a.b.c ifmmp **ll* heo a-b",
  ],
  [
    '<%= "feature/a_b".gsub("/", "-").gsub(/[^a-z0-9-]/, "") %> <%= "aXbX".sub("X", "y") %> <%= "john smith".gsub(/(\\w+) (\\w+)/, \'\\2 \\1\') %>',
    "feature-ab aybX smith john",
  ],
  [
    '<%= "abc".gsub(/[ac]/) { |m| m.upcase } %> <%= "abc".gsub(/b/, "b" => "x") %> <%= "a.b".gsub(".", "-") %> <%= "x".gsub("x", "\\\\\\\\") %>',
    "AbC axc a-b \\",
  ],
  [
    '<%= "a1b22".scan(/\\d+/).inspect %> <%= "a1b2".scan(/([a-z])(\\d)/).inspect %> <%= "v1.2.3"[/\\d+\\.\\d+/] %> <%= "v1.2"[/v(\\d+)/, 1] %>',
    '["1", "22"] [["a", "1"], ["b", "2"]] 1.2 1',
  ],
  [
    '<%= "abc" =~ /c/ %> <%= "abc".match?(/^b/) %> <%= "a\\nb".match?(/^b$/) %> <%= "a\\nb".match?(/\\Ab/) %> <%= "AbC".match(/b/i)[0] %> <%= ("x" !~ /y/) %>',
    "2 false true false b true",
  ],
  [
    '<%= "abc"[0] %><%= "abc"[-1] %> <%= "abc"[0, 2] %> <%= "abc"[1..] %> <%= "abc"[0...-1] %> <%= "abc"["b"] %> <%= "hello"[0..6] %>',
    "ac ab bc ab b hello",
  ],
  [
    '<%= "  a b ".strip %>| <%= "a\\n".chomp %> <%= "abc".chomp("c") %> <%= "abc".chop %> <%= " a ".lstrip %>| <%= "a b  c".split.inspect %>',
    'a b| a ab ab a | ["a", "b", "c"]',
  ],
  [
    '<%= "a,b,,".split(",").inspect %> <%= "a,b,,".split(",", -1).inspect %> <%= "a:b:c".split(":", 2).inspect %> <%= "a1b2c".split(/\\d/).inspect %> <%= "abc".chars.inspect %>',
    '["a", "b"] ["a", "b", "", ""] ["a", "b:c"] ["a", "b", "c"] ["a", "b", "c"]',
  ],
  [
    '<%= "abc".start_with?("a", "x") %> <%= "abc".end_with?("c") %> <%= "abc".include?("b") %> <%= "a".empty? %> <%= "abc".length %> <%= "é".bytesize %>',
    "true true true false 3 2",
  ],
  [
    '<%= "abc".upcase %> <%= "ABC".downcase %> <%= "aBC".capitalize %> <%= "aB".swapcase %> <%= "abc".reverse %> <%= "ab" * 2 %> <%= "a".ord %>',
    "ABC abc Abc Ab cba abab 97",
  ],
  [
    '<%= "a".ljust(3, ".") %> <%= "a".rjust(3) %> <%= "a".center(4, "*") %> <%= "7".rjust(2, "0") %> <%= "abc".delete_prefix("a").delete_suffix("c") %>',
    "a..   a *a** 07 b",
  ],
  [
    '<%= "a=b=c".partition("=").inspect %> <%= "a=b=c".rpartition("=").inspect %> <%= "a\\nb\\n".lines.inspect %>',
    '["a", "=", "b=c"] ["a=b", "=", "c"] ["a\\n", "b\\n"]',
  ],
  [
    '<%= format("%02d-%s", 7, "x") %> <%= "%.2f" % 3.14159 %> <%= "%s/%s" % ["a", :b] %> <%= "%-5s|" % "ab" %> <%= "%05.1f" % 2.26 %> <%= "%x" % 255 %> <%= "%%" % [] %>',
    "07-x 3.14 a/b ab   | 002.3 ff %",
  ],
  [
    '<%= format("%{a} %<b>03d", a: 1, b: 2) %> <%= "%+d" % 5 %> <%= "%s" % nil %>| <%= "%p" % ["a"] %>',
    '1 002 +5 | "a"',
  ],
  [
    '<%= "12".to_i + 1 %> <%= "12abc".to_i %> <%= "abc".to_i %> <%= "1.5".to_f %> <%= "ff".to_i(16) %> <%= Integer("42") %> <%= Float("1.5") %> <%= "a".to_sym.inspect %>',
    "13 12 0 1.5 255 42 1.5 :a",
  ],
  [
    "<%= 7 / 2 %> <%= -7 / 2 %> <%= 7 % 3 %> <%= -7 % 3 %> <%= 7.0 / 2 %> <%= 2 ** 10 %> <%= 1_000 %> <%= 0x1f %> <%= 1e3 %>",
    "3 -4 1 2 3.5 1024 1000 31 1000.0",
  ],
  [
    '<%= 3.7.floor %> <%= 3.2.ceil %> <%= 3.5.round %> <%= 2.5.round %> <%= 1.2345.round(2) %> <%= -1.abs %> <%= 5.clamp(1, 3) %> <%= 5.between?(1, 9) %> <%= 3.to_s + "x" %>',
    "3 4 4 3 1.23 1 3 true 3x",
  ],
  [
    '<%= 1 < 2 %> <%= 1 <=> 2 %> <%= "a" < "b" %> <%= 1 == 1.0 %> <%= 0.zero? %> <%= 3.even? %> <%= 3.odd? %> <%= 1.succ %> <%= -1 %>',
    "true -1 true true true false true 2 -1",
  ],
  [
    "<%= 1.upto(3).map { |i| i } %> <%= (1..10).step(3).to_a %> <%= (1..3).sum %> <%= (1..5).include?(3) %> <%= (1..3).size %>",
    "[1, 2, 3] [1, 4, 7, 10] 6 true 3",
  ],
  ["<% x = 5 %><% x += 1 %><% x -= 2 %><% x *= 3 %><%= x %> <% y = nil %><% y ||= 4 %><% y &&= 9 %><%= y %>", "12 9"],
  [
    "<% a, b = 1, 2 %><%= a %><%= b %> <% c, *d = [1, 2, 3] %><%= d %> <% e, (f, g) = 1, [2, 3] %><%= g %> <% a, b = b, a %><%= a %><%= b %>",
    "12 [2, 3] 3 21",
  ],
  [
    '<%= case 5 when 1..3 then "low" when 4..6 then "mid" else "high" end %> <%= case "abc" when /^a/ then "re" end %> <%= case :a when :b, :a then 1 end %> <%= case 1 when String then 1 when Integer then 2 end %>',
    "mid re 1 2",
  ],
  ['<% case ENV["NAME"] %><% when "shop" %>S<% else %>E<% end %>', "S"],
  [
    '<%= if ENV["NAME"] == "shop" then "y" else "n" end %> <%= ENV["X"].nil? ? 1 : 2 %> <% unless false %>u<% end %>',
    "y 1 u",
  ],
  ["<% i = 0 %><% while i < 3 %><%= i %><% i += 1 %><% end %> <% until i == 0 %><% i -= 1 %>.<% end %>", "012 ..."],
  [
    "<% [1, 2, 3].each do |x| %><% next if x == 2 %><%= x %><% end %> <% [1, 2, 3].each do |x| %><% break if x == 2 %><%= x %><% end %>",
    "13 1",
  ],
  [
    "<%= [1, 2, 3].map { |x| next 0 if x == 2; x } %> <%= [1, 2, 3].each { |x| break x * 10 if x == 2 } %>",
    "[1, 0, 3] 20",
  ],
  ["<% i = 0 %><% loop do %><% i += 1 %><% break if i > 3 %><%= i %><% end %>", "123"],
  ['<% def host(n, domain = "example.com") %><% "#{n}.#{domain}" %><% end %><%= host("a") %>', "a.example.com"],
  [
    '<%- def host(n, domain: "x.com"); "#{n}.#{domain}"; end -%><%= host("a") %> <%= host("b", domain: "y.org") %>',
    "a.x.com b.y.org",
  ],
  [
    "<% def f(x); return 1 if x; 2; end %><%= f(true) %><%= f(false) %> <% sq = ->(x) { x * x } %><%= sq.call(3) %><%= sq.(4) %> <%= [1, 2].map(&sq) %>",
    "12 916 [1, 4]",
  ],
  ['<%= begin; ENV.fetch("NOPE"); rescue KeyError => e; e.message; end %>', 'key not found: "NOPE"'],
  [
    '<%= begin; Integer("x"); rescue => e; e.message; ensure; 1; end %> <%= begin; 1; rescue; 2; else; 3; end %>',
    'invalid value for Integer(): "x" 3',
  ],
  [
    '<%= File.read("no-such-file") rescue "none" %> <%= (1 / 0 rescue "zero") %> <%= nil.foo rescue "nil" %>',
    "none zero nil",
  ],
  [
    '<% begin %><% raise "boom" %><% rescue RuntimeError => e %>rescued <%= e.message %> <%= e.class %><% end %>',
    "rescued boom RuntimeError",
  ],
  [
    '<% begin %>a<% raise ArgumentError, "bad" %><% rescue TypeError %>t<% rescue ArgumentError, KeyError => e %><%= e.message %><% ensure %>!<% end %>',
    "abad!",
  ],
  [
    '<%= __dir__ %> <%= File.join("a", "b", "/c") %> <%= File.join("a/", "/b") %> <%= File.basename("/x/y.rb") %> <%= File.basename("y.rb", ".rb") %> <%= File.basename("y.rb", ".*") %> <%= File.dirname("/x/y") %> <%= File.extname("a.yml") %>',
    ". a/b/c a/b y.rb y y /x .yml",
  ],
  [
    '<%= File.expand_path("../x", "/a/b") %> <%= File.expand_path("/x/../y") %> <%= File.expand_path("x", __dir__) == File.join(Dir.pwd, "x") %> <%= File.expand_path("../.env", __FILE__) == Dir.pwd + "/.env" %>',
    "/a/x /y true true",
  ],
  [
    '<%= File.exist?("/no/such") %> <%= File.file?("/etc") %> <%= File.directory?("/etc") %> <%= Dir.exist?("/etc") %>',
    "false false true true",
  ],
  [
    '<%= [1, "a", nil, {b: 1.5}].to_json %> <%= {"a" => [1, true]}.to_json %> <%= "é\\"\\n".to_json %> <%= nil.to_json %> <%= JSON.generate([1]) %>',
    '[1,"a",null,{"b":1.5}] {"a":[1,true]} "é\\"\\n" null [1]',
  ],
  [
    '<%= JSON.parse(\'{"a": [1, 2.0, null, true, "x\\u00e9"]}\')["a"].inspect %> <%= JSON.parse(\'{"b":1,"10":2,"2":3}\').keys %> <%= JSON.parse(\'{"a":1}\', symbolize_names: true)[:a] %>',
    '[1, 2.0, nil, true, "xé"] ["b", "10", "2"] 1',
  ],
  [
    "<%= JSON.pretty_generate({a: 1, b: [1, {c: [2]}]}) %>",
    '{\n  "a": 1,\n  "b": [\n    1,\n    {\n      "c": [\n        2\n      ]\n    }\n  ]\n}',
  ],
  [
    '<%= JSON.parse("nope") rescue "invalid" %> <%= YAML.load("a: 1\\nb: [x, 1.5, true]\\n")["b"].inspect %> <%= YAML.load("- a\\n- b").join %>',
    'invalid ["x", 1.5, true] ab',
  ],
  [
    '<% ENV["NEW"] = "v" %><%= ENV["NEW"] %> <% ENV["NEW"] ||= "w" %><%= ENV["NEW"] %> <% ENV["NEW2"] ||= "w" %><%= ENV["NEW2"] %> <% ENV.delete("NEW") %><%= ENV["NEW"].inspect %>',
    "v v w nil",
  ],
  [
    '<% ENV.each do |k, v| %><% next unless k == "NAME" %><% ENV["NEW"] = v.upcase %><% end %><%= ENV["NEW"] %>',
    "SHOP",
  ],
  [
    '<% seen = [] %><% ENV.each_pair { |k, v| seen << "#{k}=#{v}" if %w[NAME COUNT].include?(k) } %><%= seen.sort.join(" ") %>',
    "COUNT=3 NAME=shop",
  ],
  [
    '<%= ENV.to_h.select { |k, _| k == "COUNT" }.map { |k, v| "#{k}-#{v}" }.join %> <%= ENV.to_h["NOPE"].inspect %>',
    "COUNT-3 nil",
  ],
  [
    '<%= ENV.fetch("NAME") { |k| k } %> <%= ENV.fetch("NOPE") { |k| k.downcase } %> <%= ENV.fetch("NOPE", nil).inspect %> <%= ENV.key?("NAME") %> <%= ENV.values_at("NAME", "NOPE").inspect %>',
    'shop nope nil true ["shop", nil]',
  ],
  [
    "<%= <<~X\n  a\n    b\nX\n%><%= %q(it's) %> <%= %Q(#{1}) %> <%= 'a' 'b' %> <%= \"a\\tb\\u00e9\" %> <%= :\"a b\".inspect %>",
    'a\n  b\nit\'s 1 ab a\tbé :"a b"',
  ],
  [
    "<%= [*1..3, *[4]] %> <%= {**{a: 1}, b: 2}.keys %> <% x = 1 %><%= {x:}.keys %> <%= [1, 2].then { |a, b| a } rescue 0 %>",
    "[1, 2, 3, 4] [:a, :b] [:x] 1",
  ],
  [
    '<%= [3, 1].sort.reverse %> <%= [1, 2, 3].rotate %> <%= [[2, "b"], [1, "a"]].sort.inspect %> <%= %w[a b].each_with_object([]) { |x, m| m << x * 2 } %>',
    '[3, 1] [2, 3, 1] [[1, "a"], [2, "b"]] ["aa", "bb"]',
  ],
  [
    '<%= [1, 2, 3, 4].filter_map { |x| x * 2 if x.even? } %> <%= [1, 2, 3].take_while { |x| x < 3 } %> <%= %w[x y].tally["x"] %> <%= [1, 2].sum { |x| x * 2 } %> <%= [1, 2, 3].each_slice(2).to_a.inspect %>',
    "[4, 8] [1, 2] 1 6 [[1, 2], [3]]",
  ],
  [
    "<%= %w[a b].each_with_index.to_a.inspect %> <%= %w[apple bob].max_by(&:length) %> <%= [1, 2, 3].find_index(2) %> <%= [nil, 1].first.inspect %> <%= [].first.inspect %> <%= [].join.inspect %>",
    '[["a", 0], ["b", 1]] apple 1 nil nil ""',
  ],
  [
    '<%= [1, 2].map { _1 * 2 } %> <%= [[1, 2]].map { _1 + _2 } %> <%= nil.to_a.inspect %> <%= nil.to_s.inspect %> <%= nil & 1 %> <%= Array(nil).inspect %> <%= Array([1]) %> <%= Array("a") %>',
    '[2, 4] [3] [] "" false [] [1] ["a"]',
  ],
  [
    '<%= "a".is_a?(String) %> <%= 1.is_a?(Numeric) %> <%= nil.is_a?(NilClass) %> <%= [].is_a?(Enumerable) %> <%= "a".freeze %>',
    "true true true true a",
  ],
  [
    '<% HOSTS = %w[a b].freeze %><%= HOSTS.join(",") %> <% @x = 1 %><%= @x %> <%= @y.inspect %> <% @z ||= 3 %><%= "#@z" %>',
    "a,b 1 nil 3",
  ],
  [
    "<% a = *1..3 %><%= a.inspect %> <% a = 1, 2 %><%= a.inspect %> <%= (a.first if a) %> <%= not(true) %> <%= (true and false) %> <%= !nil %>",
    "[1, 2, 3] [1, 2] 1 false false true",
  ],
  [
    '<%= Base64.strict_encode64("hi:x") %> <%= Base64.decode64("aGk=") %> <%= Digest::SHA256.hexdigest("a")[0, 8] %> <%= Digest::MD5.hexdigest("a") %> <%= CGI.escape("a b/é~*") %> <%= URI.encode_www_form_component("a b/é~*") %> <%= ERB::Util.url_encode("a b/é~*\'") %>',
    "aGk6eA== hi ca978112 0cc175b9c0f1b6a831c399e269772661 a+b%2F%C3%A9~%2A a+b%2F%C3%A9%7E* a%20b%2F%C3%A9~%2A%27",
  ],
  [
    '<%= Shellwords.escape("it\'s a") %> <%= "a b".shellescape %> <%= Regexp.escape("a.b-c") %> <%= "a.b".sub(Regexp.new("a\\\\.b"), "x") %>',
    "it\\'s\\ a a\\ b a\\.b\\-c x",
  ],
  [
    "<%= `printf 'a\\nb'`.lines.map(&:chomp).inspect %> <%= %x(echo #{1 + 1}).strip %> <%= `echo a b`.split.last %>",
    '["a", "b"] 2 b',
  ],
  ["<% for x in [1, 2] do %><%= x %><% end %> <%= x %>", "12 2"],
  [
    '<%= "abc".then { |s| s.upcase } %> <%= 5.tap { |x| x + 1 } %> <%= "a b c".split.each_slice(2).map(&:first).join %>',
    "ABC 5 ac",
  ],
  [
    "<%= [1, 2, 3].values_at(0, 2) %> <%= [[1, :a]].each { |n, s| }.inspect %> <%= [1, 2, 3, 4, 5].each_slice(2).map(&:sum) %> <%= %w[a b c].first(10).length %> <%= [1,2,3].none? { |x| x > 3 } %>",
    "[1, 3] [[1, :a]] [3, 7, 5] 3 true",
  ],
  [
    "<% for i in 1..4 do %><% next if i == 2 %><% break if i == 4 %><%= i %><% end %> <% for k, v in {a: 1} do %><%= k %><%= v %><% end %>",
    "13 a1",
  ],
  ["<% [[1, 2], [3, 4]].each do |a, b| %><% [a, b].each do |x| %><%= x * a %>,<% end %>;<% end %>", "1,2,;9,12,;"],
  [
    '<% %w[web job].each do |role| %><%= role %>:\n<% 2.times do |i| %>  - 10.0.<%= role == "web" ? 0 : 1 %>.<%= i + 1 %>\n<% end %><% end %>',
    "web:\n  - 10.0.0.1\n  - 10.0.0.2\njob:\n  - 10.0.1.1\n  - 10.0.1.2\n",
  ],
  ['<%= "é" %><% ["ü"].each do |x| %>ß<%= x %><% end %>', "éßü"],
  [
    '<%= ("01".."03").map { |n| "web#{n}" }.join(",") %> <%= [*("a".."c")].inspect %>',
    'web01,web02,web03 ["a", "b", "c"]',
  ],
  ['<%= ENV["HOSTS"].to_s.split(",").map(&:strip).reject(&:empty?).to_json %>', "[]"],
  ['<%= ENV["NOPE"]&.split(",")&.map(&:strip).inspect %>', "nil"],
  ['<% if File.exist?("/no") && ENV["NAME"] %>a<% elsif ENV.fetch("NAME", "").start_with?("s") %>b<% end %>', "b"],
  [
    "<% x = 1 %><% [1,2].each { |y| x += y } %><%= x %> <% [1].each { |x| x = 9 } %><%= x %> <% [1].each { |y; x| x = 7 } %><%= x %>",
    "4 4 4",
  ],
  [
    "<% def fact(n); n <= 1 ? 1 : n * fact(n - 1); end %><%= fact(10) %> <%= (1..20).reduce(1) { |a, b| a * b } %>",
    "3628800 2432902008176640000",
  ],
  [
    '<% add = lambda { |a, b = 2| a + b } %><%= add.call(1) %> <%= add.(1, 5) %> <%= add[1] %> <% c = proc { |a, b| "#{a}#{b}" } %><%= c.call(1) %> <%= c.call([1, 2]) %>',
    "3 6 3 1 12",
  ],
  ["<% counter = 0 %><% inc = -> { counter += 1 } %><% 3.times { inc.call } %><%= counter %>", "3"],
  [
    "<% r = [1,2,3].each do |a| %><% [4,5].each do |b| %><% break if b == 5 %><%= a * b %> <% end %><% end %><%= r.inspect %>",
    "4 8 12 [1, 2, 3]",
  ],
  ["<% i = 0 %><% while true %><% i += 1 %><% next if i.odd? %><% break if i > 6 %><%= i %><% end %>", "246"],
  [
    '<%= [1,2,3].each_with_index.select { |x, i| i > 0 }.map(&:first).inspect %> <%= {a: 1, b: 2}.each_with_index.map { |(k, v), i| "#{k}#{v}#{i}" }.join %>',
    "[2, 3] a10b21",
  ],
  [
    "<%= {a: 1, b: 2}.reduce(0) { |s, (k, v)| s + v } %> <%= {a: 1}.each_with_object([]) { |(k, v), m| m << k }.inspect %> <%= {b: 1, a: 2}.sort_by { |k, v| k }.inspect %> <%= {a: 1}.find { |k, v| v == 1 }.inspect %>",
    "3 [:a] [[:a, 2], [:b, 1]] [:a, 1]",
  ],
  [
    "<%= {a: 1, b: 2}.partition { |k, v| v > 1 }.inspect %> <%= {a: 2}.sum { |k, v| v } %> <%= {a: 1}.any? { |k, v| v > 0 } %> <%= {a: 1}.count %> <%= {a: 1}.first.inspect %> <%= {a: 1, b: 2}.reject { |k, v| v == 1 }.keys %>",
    "[[[:b, 2]], [[:a, 1]]] 2 true 1 [:a, 1] [:b]",
  ],
  [
    '<%= {a: 1}.flat_map { |k, v| [k] * 2 }.inspect %> <%= {a: 1}.to_h { |k, v| [v, k] }[1] %> <%= {a: nil}.compact.empty? %> <%= {a: 1}.filter_map { |k, v| k if v }.inspect %> <%= {a: 3}.max_by { |k, v| v }.inspect %> <%= {"x" => 1}.transform_keys(&:to_sym).keys.inspect %>',
    "[:a, :a] a true [:a] [:a, 3] [:x]",
  ],
  [
    "<%= {a: 1}.merge({a: 2}, {c: 3}).values.inspect %> <%= {a: 1, b: 2}.slice(:a).keys %> <%= {a: 1, b: 2}.except(:a).keys %> <%= {a: 1}.key(1).inspect %> <%= {a: 1}.values_at(:a, :z).inspect %> <%= {a: 1}.zip([2]).inspect %>",
    "[2, 3] [:a] [:b] :a [1, nil] [[[:a, 1], 2]]",
  ],
  [
    '<%= "a.b.c".split(".", 2).inspect %> <%= "abc".split("").inspect %> <%= " a  b ".split(" ").inspect %> <%= "a,b;c".split(/[,;]/).inspect %> <%= "".split(",").inspect %> <%= ",a".split(",").inspect %> <%= "a b".split(/ /).inspect %>',
    '["a", "b.c"] ["a", "b", "c"] ["a", "b"] ["a", "b", "c"] [] ["", "a"] ["a", "b"]',
  ],
  [
    '<%= "foo.bar".gsub(/\\./, "-") %> <%= "a\\\\b".gsub("\\\\", "/") %> <%= "path/to".gsub("/", "\\\\/") %> <%= "abc".gsub("", "-") %> <%= "aaa".sub(/a$/, "b") %> <%= "a\\nb".gsub(/^/, "> ") %> <%= "a\\n".gsub(/$/, "!").inspect %>',
    'foo-bar a/b path\\/to -a-b-c- aab > a\n> b "a!\\n!"',
  ],
  [
    '<%= "CamelCase".gsub(/([A-Z])/) { |m| "_" + m.downcase } %> <%= "x-1".gsub(/(?<n>\\d)/, \'<\\k<n>>\') %> <%= "ab".gsub(/[ab]/, "a" => "1", "b" => "2") %> <%= "héllo".gsub(/[^\\w]/, "_") %> <%= "a b\\tc".gsub(/\\s/, "") %>',
    "_camel_case x-<1> 12 h_llo abc",
  ],
  [
    '<%= "2024-01-02"[/\\A(\\d+)-(\\d+)/, 2] %> <%= "k=v".match(/(?<k>\\w)=(?<v>\\w)/)[:v] %> <%= "k=v".match(/(\\w)=(\\w)/).captures.inspect %> <%= "a" =~ /b/ ? 1 : 2 %> <%= "ab\\n" =~ /b\\Z/ %> <%= ("ab\\n" =~ /b\\z/).inspect %> <%= "A" =~ /a/i %>',
    '01 v ["k", "v"] 2 1 nil 0',
  ],
  [
    '<%= "abc".tr("a-c", "A-C") %> <%= "hello world".tr("lo", "01") %> <%= "a/b".tr("/", "-") %> <%= "abc".tr("b", "") %> <%= "hello".tr("el", "ip") %> <%= "a-b".tr("-", "_") %> <%= "abc".tr("^b", "-") %> <%= "abc".count("a-b") %>',
    "ABC he001 w1r0d a-b ac hippo a_b -b- 2",
  ],
  [
    '<%= "%03d" % 7 %> <%= "%s-%s" % %w[a b] %> <%= "%.1f%%" % 12.34 %> <%= "%-4s|%4s" % ["a", "b"] %> <%= "%08.3f" % 3.14159 %> <%= "%b" % 5 %> <%= "%o" % 8 %> <%= "%i" % 3.0 %> <%= "%s" % :a %> <%= "%5.1f|" % 2.0 %>',
    "007 a-b 12.3% a   |   b 0003.142 101 10 3 a   2.0|",
  ],
  [
    "<%= 10.0.to_s %> <%= 1e20.to_s %> <%= 1.0e-5 %> <%= 100.0.to_i %> <%= 0.1 + 0.2 %> <%= 1.1.round %> <%= -1.5.round %> <%= 1.5.floor %> <%= -1.5.ceil %> <%= 3.14.truncate %> <%= 7.to_f / 2 %> <%= 2**0.5 %> <%= 10 % 3.5 %>",
    "10.0 1.0e+20 1.0e-05 100 0.30000000000000004 1 -2 1 -1 3 3.5 1.4142135623730951 3.0",
  ],
  [
    '<%= "3.7".to_f.round %> <%= "0x1A".hex %> <%= "1e3".to_f %> <%= "12.5kg".to_f %> <%= " 42 ".to_i %> <%= "-5".to_i %> <%= "1_000".to_i %> <%= nil.to_i %> <%= "abc".to_f %> <%= 65.to_s %> <%= "5" * 3 %> <%= 1.zero? %>',
    "4 26 1000.0 12.5 42 -5 1000 0 0.0 65 555 false",
  ],
  [
    '<%= [1, "1", :a, nil].map(&:to_s).inspect %> <%= [3, 1, 2].sort { |a, b| b <=> a }.inspect %> <%= [[1, 2], [3]].sum([]).inspect %> <%= ["a", "b"].sum("") %> <%= [1, 2, 3].each_cons(2).map { |a, b| b - a }.inspect %>',
    '["1", "1", "a", ""] [3, 2, 1] [1, 2, 3] ab [1, 1]',
  ],
  [
    '<%= [1, 2, 3, 4].each_slice(2).map { |a, b| a * b }.inspect %> <%= [1, [2, [nil]]].flatten.compact.inspect %> <%= %w[a b].zip([1, 2]).to_h["b"] %> <%= %w[a b].zip([1, 2]).map { |s, n| s * n }.inspect %> <%= [1, 2, 3].minmax.inspect %>',
    '[2, 12] [1, 2] 2 ["a", "bb"] [1, 3]',
  ],
  [
    "<%= [5, 3].min %> <%= %w[b a].max %> <%= [0.5, 1].max %> <%= [1, 2] <=> [1, 3] %> <%= [1, 2] == [1, 2] %> <%= [1, 2].eql?([1, 2]) %> <%= (1..3) == (1..3) %> <%= [nil, false].none? %> <%= [nil].compact.any? %> <%= [1, 2, 3].fetch(1) %>",
    "3 b 1 -1 true true true true false 2",
  ],
  [
    "<% a = [1, 2, 3] %><% a.delete(2) %><%= a.inspect %> <% a.unshift(0) %><%= a.pop %><%= a.shift %><%= a.inspect %> <% a.concat([7], [8]) %><%= a.inspect %> <% a[0] = 5 %><%= a.inspect %> <% b = a.dup %><% b << 1 %><%= a.size == b.size %>",
    "[1, 3] 30[1] [1, 7, 8] [5, 7, 8] false",
  ],
  [
    "<% h = {a: 1} %><% h[:b] = 2 %><% h.delete(:a) %><%= h.to_a.inspect %> <% h.merge!(c: 3) %><%= h.keys.inspect %> <% h.store(:d, 4) %><%= h.size %> <% g = h.dup %><% g[:z] = 1 %><%= h.key?(:z) %> <% h.each { |k, v| %><%= k %>=<%= v %>;<% } %>",
    "[[:b, 2]] [:b, :c] 3 false b=2;c=3;d=4;",
  ],
  [
    '<% a, *b, c = 1, 2, 3, 4 %><%= b.inspect %><%= c %> <% (a, b), c = [1, 2], 3 %><%= a + b + c %> <% a = b = 5 %><%= a + b %> <% a, b = [1] %><%= b.inspect %> <% *a, b = 1 %><%= a.inspect %><%= b %> <% a, b = "x" %><%= a %><%= b.inspect %>',
    "[2, 3]4 6 10 nil []1 xnil",
  ],
  [
    '<%= begin; raise "a"; rescue => e; "r:#{e.message}"; else; "e"; ensure; "n"; end %> <% begin; x = 1; ensure; x = 2; end %><%= x %> <% def g; yield; end rescue 0 %>',
    "r:a 2 ",
  ],
  [
    '<% begin %><% begin %><% raise KeyError, "k" %><% rescue TypeError %>t<% end %><% rescue IndexError => e %><%= e.class %>:<%= e.message %><% end %>',
    "KeyError:k",
  ],
  [
    '<% begin; JSON.parse("{"); rescue JSON::ParserError; %>bad json<% end %> <% begin; File.read("/none"); rescue Errno::ENOENT => e; %><%= e.message %><% end %> <% begin; ENV.fetch("ZZ"); rescue KeyError => e; %><%= e.message %><% end %> <% begin; Integer("z1"); rescue ArgumentError => e; %><%= e.message %><% end %> <% begin; 1/0; rescue ZeroDivisionError => e; %><%= e.message %><% end %>',
    'bad json No such file or directory @ rb_sysopen - /none key not found: "ZZ" invalid value for Integer(): "z1" divided by 0',
  ],
  ['<% begin; require "dotenv"; rescue LoadError; end %><% def opt(a, b: 1, **o); a; end rescue 0 %>ok', "ok"],
  [
    '<% def kw(a:, b: a + 1); "#{a},#{b}"; end %><%= kw(a: 1) %> <%= kw(b: 5, a: 2) %> <% def sp(a, *r, z); "#{a}|#{r.join("+")}|#{z}"; end %><%= sp(1, 2, 3, 4) %> <%= sp(1, 2) %> <% def d(a, b = a * 2, c = b + 1); [a, b, c]; end %><%= d(1).inspect %><%= d(1, 5).inspect %>',
    "1,2 2,5 1|2+3|4 1||2 [1, 2, 3][1, 5, 6]",
  ],
  [
    '<% begin; sp2 = ->(a) { a }; sp2.call; rescue ArgumentError => e; %><%= e.message %><% end %> <% begin; raise ArgumentError; rescue => e; %><%= e.message %><% end %> <%= (raise "x" rescue "y") %>',
    "wrong number of arguments (given 0, expected 1) ArgumentError y",
  ],
  [
    '<% case [1, 2] when Array then %>arr<% end %><% case "x" when *%w[a x] then %>splat<% end %><% case when 1 > 2 then %>no<% when true %>yes<% end %> <%= case nil when nil then "nil" end %> <%= case 3.5 when 1..4 then "in" end %> <%= case "b" when "a".."c" then "rng" end %> <%= (case 1 when 2 then 3 end).inspect %>',
    "arrsplatyes nil in rng nil",
  ],
  [
    '<%= "a" if false %>|<%= nil || "d" %> <%= false.nil? %> <%= 1 && nil %>| <%= !!1 %> <%= 5 unless nil %> <%= (1 if 2) %>',
    "|d false | true 5 1",
  ],
  [
    '<%= "a#{"b#{1 + 1}"}" %> <%= \'a#{1}\' %> <%= "\\u00e9\\x41\\101\\e[0m".inspect %> <%= "tab\\there" %> <%= %w[a#{1} b].inspect %> <%= %W[a#{1} b].inspect %> <%= %i[a b].inspect %> <%= "a\\\nb" %> <%= ?a %>',
    'ab2 a#{1} "éAA\\e[0m" tab\there ["a\\#{1}", "b"] ["a1", "b"] [:a, :b] ab a',
  ],
  [
    '<%= "x".inspect + \'y\'.inspect %> <%= "é\\u200b".inspect %> <%= "q\\"uote".inspect %> <%= :"foo-bar".inspect %> <%= {}.inspect %> <%= [nil, true].to_s %> <%= (1..).inspect %> <%= (1...5).to_a.inspect %> <%= ("a"..."d").to_a.inspect %> <%= 1.0.inspect %>',
    '"x""y" "é​" "q\\"uote" :"foo-bar" {} [nil, true] 1.. [1, 2, 3, 4] ["a", "b", "c"] 1.0',
  ],
  [
    '<%= ENV.fetch("ZZ", "d").upcase %> <%= ENV["ZZ"].to_s.empty? %> <%= ENV.fetch("COUNT").to_i.times.map { |i| "h#{i}" }.join(",") %> <% ENV["NEW"] = nil %><%= ENV["NEW"].inspect %> <% ENV["NEW"] = "1" %><% ENV["NEW"] += "2" rescue 0 %><%= ENV["NEW"] %>',
    "D true h0,h1,h2 nil 12",
  ],
  [
    '<%= File.join("a", ["b", "c"]) %> <%= File.join("/", "a") %> <%= File.join("") %>| <%= File.join("a", "") %> <%= File.join("a//", "b") %> <%= File.basename("/") %> <%= File.basename("a/b/") %> <%= File.basename("a.tar.gz", ".gz") %> <%= File.extname(".x") %>| <%= File.dirname("a") %> <%= File.basename(".env", ".env") %>',
    "a/b/c /a | a/ a//b / b a.tar | . .env",
  ],
  [
    '<%= [1, 2, 3].to_json %> <%= {a: {b: [nil, 1.0, "x/y"]}}.to_json %> <%= :a.to_json %> <%= "\\u2028<>&\\x7f\\x01".to_json %> <%= JSON.parse("[1e3, -0, 1.50, 12345678901234567890]").inspect %> <%= JSON.parse(\'"x"\') %> <%= JSON.parse(\'{"a":{"b":[]}}\').dig("a", "b").inspect %>',
    '[1,2,3] {"a":{"b":[null,1.0,"x/y"]}} "a" " <>&\\u0001" [1000.0, 0, 1.5, 12345678901234567890] x []',
  ],
  [
    '<%= YAML.load("a: 1\\nb: 1.5\\nc: \'x\'\\nd: ~\\ne: yes\\nf: [1, \'2\']\\n").values.inspect %> <%= YAML.load("x").inspect %> <%= YAML.load("- 010\\n- 1_000\\n- 0x1f\\n- 1e3\\n").inspect %>',
    '[1, 1.5, "x", nil, true, [1, "2"]] "x" [8, 1000, 31, "1e3"]',
  ],
  [
    "<% 3.downto(1) do |i| %><%= i %><% end %> <% 1.upto(3) { |i| %><%= i %><% } %> <% (0..10).step(5) do |i| %><%= i %>,<% end %> <%= 10.downto(8).to_a.inspect %> <% 0.times { %>never<% } %> <%= (3..1).to_a.inspect %> <%= 5.times.select(&:odd?).inspect %>",
    "321 123 0,5,10, [10, 9, 8]  [] [1, 3]",
  ],
  [
    "<% %w[a b].each.with_index do |x, i| %><%= i %><%= x %><% end %> <%= %w[a b].each_with_index.to_h.keys rescue 0 %> <%= %w[a b].map.with_index { |x, i| [x, i] }.inspect %> <%= %w[a b].select.with_index { |x, i| i == 1 }.inspect %>",
    '0a1b ["a", "b"] [["a", 0], ["b", 1]] ["b"]',
  ],
  [
    '<%= "Hello World".swapcase %> <%= "hello world".capitalize %> <%= "a".ord %> <%= "abc".slice(0, 2) %> <%= "abc".slice(-2..) %> <%= "abc"[3].inspect %> <%= "abc"[3, 1].inspect %> <%= "abc"[4, 1].inspect %> <%= "abc"[-5..].inspect %> <%= [1,2][2, 1].inspect %> <%= [1,2][3, 1].inspect %>',
    'hELLO wORLD Hello world 97 ab bc nil "" nil nil [] nil',
  ],
  [
    '<%= "a\\r\\nb\\n\\nc".lines.map(&:chomp).inspect %> <%= "x\\r\\n".chomp.inspect %> <%= "x\\n\\n".chomp.inspect %> <%= "ab".chomp("b") %> <%= "\\tx\\0 ".strip.inspect %> <%= "\\0x".lstrip.inspect %> <%= "aXb".partition("X").inspect %> <%= "ab".partition("X").inspect %> <%= "ab".rpartition("X").inspect %>',
    '["a", "b", "", "c"] "x" "x\\n" a "x" "x" ["a", "X", "b"] ["ab", "", ""] ["", "", "ab"]',
  ],
  [
    '<%= "a-b".casecmp?("A-B") %> <%= "b" <=> "a" %> <%= "a" == :a %> <%= :a == :a %> <%= "a".eql?("a") %> <%= 1.eql?(1.0) %> <%= "abc".between?("a", "b") %> <%= 3.clamp(5, 7) %> <%= "z" > "a" %> <%= nil == false %>',
    "true 1 false true true false true 5 true false",
  ],
];
