/* data_czechia.c - Czechia. */
#include "demo/data_country.h"

/* clang-format off */
const med_demo_country med_demo_czechia = {
    .id = MED_DEMO_CZ, .code = "CZ", .prefix = "cz", .language = "cs",
    .language_name = "čeština", .phone = "+420", .zone_minutes = 60,
    .id_kind = MED_NATIONAL_ID_RODNE,
    .id_system = "https://medulla.example/demo/sid/rodne-cislo",
    .insurer = "Demo zdravotní pojišťovna", .insurer_short = "DZP",
    .doctor = "MUDr.",
    .hospital = {"Nemocnice U Lípy ", ""}, .practice = {"Ordinace praktických lékařů ", ""},
    .pharmacy = {"Lékárna ", ""}, .laboratory = {"Klinická laboratoř ", ""},
    .given = {
        {{"Jaroslav", "Josef", "František", "Václav", "Zdeněk", "Miroslav", "Jiří", "Karel",
          "Ladislav", "Stanislav", "Milan", "Vladimír", "Antonín", "Oldřich", "Bohumil", "Miloslav"},
         {"Petr", "Pavel", "Martin", "Tomáš", "Michal", "Roman", "Radek", "Jan", "Aleš", "Libor",
          "David", "Lukáš", "Ondřej", "Marek", "Robert", "Vít"},
         {"Jakub", "Adam", "Matěj", "Vojtěch", "Daniel", "Filip", "Dominik", "Šimon", "Matyáš",
          "Kryštof", "Štěpán", "Tadeáš", "Antonín", "Tobiáš", "Samuel", "Patrik"}},
        {{"Marie", "Jana", "Věra", "Anna", "Hana", "Jaroslava", "Jarmila", "Zdeňka", "Ludmila",
          "Božena", "Květoslava", "Milada", "Jiřina", "Vlasta", "Dagmar", "Libuše"},
         {"Petra", "Lenka", "Monika", "Martina", "Kateřina", "Veronika", "Jitka", "Ivana",
          "Michaela", "Markéta", "Pavla", "Renata", "Zuzana", "Alena", "Lucie", "Radka"},
         {"Tereza", "Eliška", "Natálie", "Adéla", "Viktorie", "Karolína", "Barbora", "Kristýna",
          "Anežka", "Klára", "Sofie", "Nikola", "Ema", "Julie", "Laura", "Rozálie"}}},
    .surnames = {
        {"Novák", "Nováková"}, {"Svoboda", "Svobodová"}, {"Novotný", "Novotná"},
        {"Dvořák", "Dvořáková"}, {"Černý", "Černá"}, {"Procházka", "Procházková"},
        {"Kučera", "Kučerová"}, {"Veselý", "Veselá"}, {"Horák", "Horáková"}, {"Němec", "Němcová"},
        {"Marek", "Marková"}, {"Pospíšil", "Pospíšilová"}, {"Pokorný", "Pokorná"},
        {"Hájek", "Hájková"}, {"Král", "Králová"}, {"Jelínek", "Jelínková"},
        {"Růžička", "Růžičková"}, {"Beneš", "Benešová"}, {"Fiala", "Fialová"},
        {"Sedláček", "Sedláčková"}, {"Doležal", "Doležalová"}, {"Zeman", "Zemanová"},
        {"Kolář", "Kolářová"}, {"Navrátil", "Navrátilová"}, {"Čermák", "Čermáková"},
        {"Vaněk", "Vaňková"}, {"Urban", "Urbanová"}, {"Blažek", "Blažková"}, {"Kříž", "Křížová"},
        {"Kovář", "Kovářová"}, {"Bartoš", "Bartošová"}, {"Vlček", "Vlčková"},
        {"Polák", "Poláková"}, {"Říha", "Říhová"}, {"Šimek", "Šimková"}, {"Janů", "Janů"}},
    .towns = {
        {"Praha 5", "150 00", "Hlavní město Praha", 5007, 1440, 24},
        {"Brno", "602 00", "Jihomoravský kraj", 4920, 1661, 14},
        {"Ostrava", "702 00", "Moravskoslezský kraj", 4983, 1829, 11},
        {"Plzeň", "301 00", "Plzeňský kraj", 4975, 1338, 8},
        {"Olomouc", "779 00", "Olomoucký kraj", 4959, 1725, 6},
        {"Liberec", "460 01", "Liberecký kraj", 5077, 1506, 5},
        {"České Budějovice", "370 01", "Jihočeský kraj", 4897, 1447, 5},
        {"Hradec Králové", "500 03", "Královéhradecký kraj", 5021, 1583, 5}},
    .streets = {
        "Masarykova", "Husova", "Palackého", "Žižkova", "Komenského", "Nádražní", "Školní",
        "Zahradní", "Jiráskova", "Havlíčkova", "Smetanova", "Dvořákova", "Lidická", "Krátká",
        "Na Výsluní", "Polní", "Lipová", "Tyršova"},
};
