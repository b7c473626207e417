/** Invented names, by script, so that a name that is written from the right stays one. */

const LATIN =
  `Alba Amos Anouk Arlo Astrid Basil Beck Bina Birk Bruno Cato Celia Cleo Cosmo Dag Dalia Dante Edda Edgar Effie
Elio Ember Enzo Esme Fabian Fenna Finn Flora Freya Gala Gil Greta Hana Hugo Ida Ilya Ines Iris Ivo Jago Jette Jonah Juno
Kaja Kasper Kira Lars Leif Lena Levin Lior Lotte Luca Lyra Mabel Maren Mika Milo Mira Nadia Nico Nils Noor Odile Oren
Orla Oskar Otis Paloma Pavel Petra Pia Quinn Rafi Remy Rhea Rolf Romy Runa Sami Selma Silas Sol Sunniva Taro Tess Thea
Tilda Timo Tove Uma Ursel Vega Vera Viggo Wanda Wim Xenia Yara Yusra Zelda Zeno Zora`.split(/\s+/);

/** The Korean ones are nobody's: those that people have are in every second text. */
const OTHERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\p{Script=Arabic}/u, "سلمى رامي هالة نادر جنى طارق ريم فادي لينا زياد ندى كريم دانا باسل مايا سامر".split(" ")],
  [/\p{Script=Hebrew}/u, "נועם תמר איתן יעל דנה עומר שירה גיל מאיה אורי רוני טל".split(" ")],
  [/\p{Script=Cyrillic}/u, "Лада Глеб Вера Тихон Майя Савва Злата Богдан Рада Мирон Тая Яков".split(" ")],
  [/\p{Script=Hangul}/u, "갸온 냐래 댜솜 랴온 먀루 뱌름 샤봄 야름 쟈온 챠래 캬솜 탸루 퍄온 햐름".split(" ")],
  [/\p{Script=Han}/u, "雨晨 子涵 明哲 思远 佳怡 文博 若琳 浩然 欣妍 俊熙 雅静 宇航".split(" ")],
];

/** Somebody who calls themselves so in their profile is not told apart by it, and every text is full of it. */
const PRONOUNS = new Set("i me my you your we us our he him she her it they them".split(" "));

export function isPronoun(word: string): boolean {
  return PRONOUNS.has(word.toLowerCase());
}

/** Every list has at least twelve. */
export function namesFor(word: string): readonly string[] {
  return OTHERS.find(([script]) => script.test(word))?.[1] ?? LATIN;
}
