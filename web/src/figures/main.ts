import { showFace } from '@/parts/face'
import Figures from './Figures.svelte'

void showFace(Figures)
