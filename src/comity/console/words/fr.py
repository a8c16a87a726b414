"""The person's page in French."""

from __future__ import annotations

from typing import Final

from comity.console.words.words import Words

FRENCH: Final = Words(
    code="fr",
    skip="Aller au texte",
    about_service="À propos de ce service",
    standing="Ce que vous pouvez faire maintenant",
    open_on="Vous pouvez envoyer comme d'habitude (canaux : {channels}).",
    other_statement="Cela vient d'une autre décision : {id}.",
    is_yours="Toute personne qui a ce lien peut lire cette page et introduire une réclamation pour vous. "
    "Ne le donnez qu'à une personne qui parle en votre nom.",
    refused_private="Beaucoup de gens peuvent voir ce lien. Cette page ne montre donc ni message ni nom. "
    "Le compte a son propre lien, où tout est écrit.",
    read="J'ai lu cela",
    read_why="La mesure peut prendre fin dès que vous dites avoir lu cela.",
    read_done="Merci. Vous avez dit avoir lu cela.",
    appeal="Réclamation sur cette page",
    appeal_why="Pourquoi cette décision est-elle une erreur ?",
    appeal_hint="Dites-le avec vos mots. Vous pouvez écrire jusqu'à {most} caractères.",
    appeal_by="Votre nom, si vous écrivez pour une autre personne",
    appeal_by_hint="Laissez vide si le compte est le vôtre.",
    appeal_files="Des fichiers qui le montrent",
    appeal_files_hint="Ce n'est pas obligatoire. Au plus {count} fichiers, de {size} Mo chacun au plus.",
    appeal_send="Envoyer la réclamation",
    appeal_filed="Nous avons votre réclamation. Une personne qui n'a pas pris part à cette décision la lira. "
    "Vous trouverez la réponse sur cette page.",
    appeal_closed="Le délai de réclamation est passé. Il a pris fin le {at}.",
    your_appeal="Votre réclamation du {at}",
    offer_waits="Votre réclamation attendra que le compte dise, sur sa propre page, qu'elle vient de lui, "
    "ou qu'une personne chargée des vérifications la retienne. Si vous avez le lien du compte, utilisez-le.",
    offer_sent="Nous avons votre réclamation. Elle attend que le compte dise qu'elle vient de lui, "
    "ou qu'une personne chargée des vérifications la retienne.",
    offered="Avez-vous écrit cela ?",
    offered_why="Une personne qui a le lien public a écrit cela le {at}. Cela ne compte comme votre réclamation "
    "que si vous le dites. Vous pouvez aussi écrire la vôtre plus bas. Alors celle-ci ne compte pas.",
    offered_take="Oui, c'est ma réclamation",
    keep="Garder une copie",
    keep_proof="L'exposé, avec sa preuve",
    keep_proof_why="Un fichier pour vous. Il montre à tous ce qui a été décidé, même quand cette page n'existe plus.",
    keep_account="Tout ce qui est gardé sur votre compte",
    keep_account_why="Un fichier que des programmes peuvent lire.",
    problem="Cela n'a pas été envoyé",
    no_text="Écrivez pourquoi la décision est une erreur, s'il vous plaît.",
    long_text="Votre texte a {count} caractères. Il en faut {most} au plus.",
    long_name="Le nom a {count} caractères. Il en faut {most} au plus.",
    many_files="Vous avez choisi {count} fichiers. Il en faut {most} au plus.",
    large_file="Le fichier {name} est trop grand. Chaque fichier peut avoir {size} Mo au plus.",
    not_done="Nous n'avons pas pu le faire : {why}.",
    nowhere="Ce lien ne mène nulle part",
    nowhere_why="Une partie manque peut-être, ou un nouveau lien l'a remplacé, ou ce qu'il montrait a été effacé.",
)
